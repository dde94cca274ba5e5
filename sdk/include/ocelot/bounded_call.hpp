#pragma once
// A caller's call with an earlier end: for work inside a call that has a time-out of its own.

#include <algorithm>
#include <chrono>
#include <string_view>

#include "ocelot/call.hpp"

namespace ocelot {
inline namespace v1 {

class BoundedCall final : public Call {
 public:
  // Ends `at_most` from now, or when `outer` does; `outer` outlives it.
  BoundedCall(Call& outer, std::chrono::milliseconds at_most)
      : outer_(outer), deadline_(std::min(outer.deadline(), Clock::now() + at_most)) {}
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override { return outer_.cancelled(); }
  int cancelFd() const override { return outer_.cancelFd(); }
  void log(LogLevel level, std::string_view text) override { outer_.log(level, text); }

 private:
  Call& outer_;
  Clock::time_point deadline_;
};

}  // namespace v1
}  // namespace ocelot
