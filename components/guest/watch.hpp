#pragma once
// Everything that can happen to the guest beside output: signals, children's ends, the build's time-out, `alive`
// standing still. One wait() serves them all, so that no part of the guest is ever deaf to a cancel.

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "components/guest/files.hpp"

namespace ocelot::guest {

// A child that has ended and been reaped, with what it and its reaped children used.
struct Reaped {
  pid_t pid = 0;
  int status = 0;
  std::int64_t cpu_us = 0;
  std::int64_t max_rss_bytes = 0;
};

class Watch {
 public:
  // Blocks all signals, before anything else happens: what comes from now on is waiting when there is a Watch.
  static void blockSignals();

  // 0 for a time-out: none.
  Watch(Counter alive, std::int64_t alive_timeout_ms, std::int64_t build_timeout_ms);

  // Waits until one of `waits` is ready, something happened, or it is `until` (bootMillis); a second at most.
  void wait(std::vector<pollfd>& waits, std::int64_t until);

  // What is to become of the build. It never goes back; `abandon` outranks the others, among which the first counts.
  enum class Order { go_on, cancel, build_timeout, abandon };
  Order order() const { return order_; }
  // No more grace: asked to end for the second time, or abandoned.
  bool atOnce() const { return terms_ > 1 || order_ == Order::abandon; }

  std::vector<Reaped> takeReaped();

  // Reads and drops what comes out of `pipe`: a process in the background must not die of writing to nobody.
  void discard(Fd pipe);

 private:
  void takeSignals();
  void reap();
  void lookAtAlive(std::int64_t now);
  void drainDiscarded();

  Fd signals_;
  Counter alive_;
  std::int64_t alive_timeout_ms_, alive_every_ms_;
  std::optional<std::uint64_t> last_alive_;
  std::int64_t alive_since_, alive_next_;
  std::int64_t build_deadline_;
  Order order_ = Order::go_on;
  int terms_ = 0;
  std::vector<Reaped> reaped_;
  std::deque<Fd> discarded_;
};

}  // namespace ocelot::guest
