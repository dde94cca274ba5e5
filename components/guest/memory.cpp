#include "components/guest/memory.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "components/guest/files.hpp"

namespace ocelot::guest {

namespace {

constexpr std::size_t kMaxFile = 64u << 10;
constexpr std::uint64_t kUnlimited = 1ull << 62;  // version 1 says "none" by a number near 2^63

// The group's path under its hierarchy: "0::PATH" for version 2, "N:…,memory,…:PATH" for version 1.
std::string groupPath(bool version_2) {
  const std::string text = readSmallFile("/proc/self/cgroup", kMaxFile).value_or("");
  std::string_view left = text;
  while (!left.empty()) {
    const auto line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), line.size() + 1));
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    if (version_2 ? controllers == ",," : controllers.find(",memory,") != controllers.npos)
      return std::string(line.substr(second + 1));
  }
  return "";
}

}  // namespace

MemoryGroup::MemoryGroup() {
  // The own group seen from the host's root, as where the namespace is not private; else the mount is the group itself.
  const std::string two = "/sys/fs/cgroup", one = "/sys/fs/cgroup/memory";
  const struct {
    std::string folder;
    const char *events, *limit;
  } candidates[] = {
      {two + groupPath(true), "/memory.events", "/memory.max"},
      {two, "/memory.events", "/memory.max"},
      {one + groupPath(false), "/memory.oom_control", "/memory.limit_in_bytes"},
      {one, "/memory.oom_control", "/memory.limit_in_bytes"},
  };
  for (const auto& candidate : candidates) {
    if (::access((candidate.folder + candidate.events).c_str(), R_OK) != 0) continue;
    events_file_ = candidate.folder + candidate.events;
    limit_file_ = candidate.folder + candidate.limit;
    return;
  }
}

std::optional<std::uint64_t> MemoryGroup::kills() const {
  if (events_file_.empty()) return std::nullopt;
  const std::string text = "\n" + readSmallFile(events_file_.c_str(), kMaxFile).value_or("");
  const auto at = text.find("\noom_kill ");
  if (at == text.npos) return std::nullopt;
  return std::strtoull(text.c_str() + at + 10, nullptr, 10);
}

std::optional<std::uint64_t> MemoryGroup::limitBytes() const {
  if (limit_file_.empty()) return std::nullopt;
  const std::uint64_t limit =
      std::strtoull(readSmallFile(limit_file_.c_str(), kMaxFile).value_or("").c_str(), nullptr, 10);
  if (limit == 0 || limit >= kUnlimited) return std::nullopt;
  return limit;
}

}  // namespace ocelot::guest
