#pragma once
// Time-outs go by CLOCK_BOOTTIME: a machine that slept has used the time up. What people read is CLOCK_REALTIME.

#include <cstdint>
#include <ctime>
#include <limits>

namespace ocelot::guest {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

inline std::int64_t bootMillis() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

inline std::uint64_t wallMicros() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace ocelot::guest
