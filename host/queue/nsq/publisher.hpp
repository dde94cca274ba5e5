#pragma once
// Publishes to whichever nsqd takes it: the one that took the last, else the next. A kept connection, without
// heartbeats, as nobody reads from it between two publications.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/queue/nsq/connection.hpp"
#include "host/queue/nsq/lookup.hpp"
#include "host/queue/nsq/pause.hpp"

namespace ocelot::queue::nsq {

// [any] thread.
class Publisher {
 public:
  explicit Publisher(const Access& access);

  // Throws Unavailable when no nsqd takes it.
  void publish(const std::string& topic, int times);
  // Why nothing could be published now; "" when a connection stands. Makes one if there is none.
  std::string trouble();
  // Which nsqd could not be published to now, and why; "": none. Tries those to which no connection stands.
  std::string warning();

 private:
  struct Target {
    explicit Target(NsqAddress at) : address(std::move(at)) {}
    const NsqAddress address;
    std::unique_ptr<Connection> connection;
    Pause pause{std::chrono::milliseconds(200), std::chrono::milliseconds(10000)};
    Clock::time_point next_try{}, tried_at{};
    std::string why;  // it was set aside
  };

  void find();  // refreshes targets_
  Connection& connected(Target& target);
  // Runs it on one target after the other, the last good one first, until one does it; else throws.
  template <class Act>
  void onAny(const std::string& what, const Act& act);
  void setAside(Target& target, const std::exception& error);

  const Access& access_;
  std::mutex mutex_;
  Lookup lookup_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::size_t good_ = 0;  // where it worked last
  Clock::time_point found_at_{};
  bool found_ = false;
  std::string why_;  // the last failure
};

}  // namespace ocelot::queue::nsq
