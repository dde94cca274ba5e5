#pragma once
// The control group of a container, on every layout: unified (v2), legacy (v1), and v1 with v2 beside it (hybrid).

#include <cstdint>
#include <string>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot::oci {

enum class CgroupLayout { none, v1, hybrid, v2 };
CgroupLayout cgroupLayout();
const char* nameOf(CgroupLayout layout);

class Cgroup {
 public:
  // `path` begins with a slash and is the same in every hierarchy.
  explicit Cgroup(std::string path) : path_(std::move(path)) {}

  // How many processes of it the kernel has killed for want of memory.
  std::uint64_t outOfMemoryKills() const;
  // Kills whatever is in it and removes it with all groups below it. cancelled when something does not die in time.
  // Missing is fine.
  void remove(Call& call) const;

 private:
  void killAll(Call& call, const std::vector<std::string>& folders) const;
  std::string path_;
};

}  // namespace ocelot::oci
