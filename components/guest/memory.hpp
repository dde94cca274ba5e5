#pragma once
// What the container's memory control group says: how often it killed for lack of memory, and its limit.

#include <cstdint>
#include <optional>
#include <string>

namespace ocelot::guest {

class MemoryGroup {
 public:
  // Looks where this process's group is mounted (version 2 or 1); a group that cannot be read answers nothing.
  MemoryGroup();

  std::optional<std::uint64_t> kills() const;
  std::optional<std::uint64_t> limitBytes() const;  // nullopt also when there is none

 private:
  std::string events_file_, limit_file_;
};

}  // namespace ocelot::guest
