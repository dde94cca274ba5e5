#pragma once
// Reading files that somebody else may have put there: regular ones only, and never more than a bound.

#include <cstdint>
#include <optional>
#include <string>

#include "components/guest/fd.hpp"

namespace ocelot::guest {

// nullopt when it is absent, is no regular file (a fifo would block) or is larger than `most`; errno tells.
std::optional<std::string> readSmallFile(const char* path, std::size_t most);

// The same through an open descriptor. Files of /proc and /sys have no size: their end is where reading ends.
std::optional<std::string> readAll(int fd, std::size_t most);

// A decimal number that its writer overwrites in place, kept open so that renaming cannot change which file it is.
class Counter {
 public:
  explicit Counter(Fd file) : file_(std::move(file)) {}
  // nullopt while there is no number in it.
  std::optional<std::uint64_t> value() const;

 private:
  Fd file_;
};

}  // namespace ocelot::guest
