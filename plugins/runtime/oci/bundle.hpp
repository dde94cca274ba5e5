#pragma once
// The OCI runtime configuration (config.json) of one container.

#include <string>
#include <vector>

#include "ocelot/runtime.hpp"

namespace ocelot::oci {

struct Mount {
  std::string source;
  std::string target;
  bool writable = false;
};

struct Bundle {
  std::vector<std::string> command;
  std::string hostname;
  std::string rootfs;             // absolute
  std::string cgroup;             // "/ocelot/<name>"; "": the runtime makes none
  std::string network_namespace;  // path; "": a new one
  bool host_network = false;
  std::vector<Mount> mounts;  // binds, in order
  Limits limits;
  bool filter_as_program = true;  // seccomp as BPF in an annotation (crun) instead of a list of names (runc)
  // The runtime runs in the user namespace of an ordinary user: control groups and some mounts are not ours to make.
  bool rootless = false;
};

std::string encodeBundle(const Bundle& bundle);

// Throws Error(invalid) unless the path is absolute, plain (no "..", no control character) and not one that the
// container's own file systems occupy.
void checkTarget(const std::string& path);

}  // namespace ocelot::oci
