#pragma once
// How long to leave alone what has just failed: longer each time, and never for all of us the same.

#include <algorithm>
#include <chrono>
#include <random>

namespace ocelot::queue::nsq {

class Pause {
 public:
  Pause(std::chrono::milliseconds first, std::chrono::milliseconds longest) : first_(first), longest_(longest) {}
  std::chrono::milliseconds next() {
    current_ = std::clamp(current_ * 2, first_, longest_);
    std::uniform_int_distribution<std::int64_t> jitter(current_.count() / 2, current_.count());
    return std::chrono::milliseconds(jitter(random_));
  }
  void reset() { current_ = std::chrono::milliseconds{0}; }

 private:
  const std::chrono::milliseconds first_, longest_;
  std::chrono::milliseconds current_{0};
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace ocelot::queue::nsq
