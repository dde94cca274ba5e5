#pragma once
// Counts the wrong tokens of each peer, in bounded memory: a flood of new addresses cannot make it forget an old one,
// and an IPv6 network counts as one.

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace ocelot::http {

// [any] thread.
class Limiter {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Limiter(int per_minute, std::size_t most_peers = 4096) : per_minute_(per_minute), most_peers_(most_peers) {}

  // Notes a failure. false: this peer had its share of the running minute.
  bool fail(const std::string& peer, Clock::time_point now = Clock::now());
  std::size_t size() const;

 private:
  struct Count {
    Clock::time_point since;
    int failures = 0;
  };
  bool countIn(Count& count, Clock::time_point now);

  const int per_minute_;
  const std::size_t most_peers_;
  mutable std::mutex mutex_;
  std::map<std::string, Count> peers_;
  Count others_;  // all that found no place
};

}  // namespace ocelot::http
