#pragma once
// crun, or runc: the program that makes a container out of a bundle. It runs in a mount namespace of its own, in which
// the root file system is mounted and, on hybrid cgroups, the v2 hierarchy is covered, because crun refuses a
// machine that shows it both. The namespace ends with the program: no mount of a container is ever seen on the host.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cgroup.hpp"
#include "file.hpp"
#include "ocelot/call.hpp"

namespace ocelot::oci {

struct Overlay {
  std::string folder;               // where relative paths start: the store
  std::vector<std::string> layers;  // relative to it, topmost first
  std::string upper, work;          // relative to it
  std::string target;               // absolute
  bool user = false;                // in a user namespace: xattrs user.overlay.*
};

class Engine {
 public:
  // `choice`: auto | crun | runc | an absolute path. Not there: program() is empty and why() says the remedy.
  Engine(const std::string& choice, std::string state_folder);

  const std::string& program() const { return program_; }
  const std::string& why() const { return why_; }
  bool isCrun() const { return crun_; }
  std::string version(Call& call) const;  // "crun 1.8.1"

  // Makes and starts the container `name` of the bundle; returns the process id of its main process. `turn` stays open
  // in every process that still works on it, also when we are gone: a lock held by it tells when they are done.
  pid_t run(Call& call, const std::string& name, const std::string& bundle, const Overlay& overlay, int turn) const;
  // The main process by the engine's own account, for a start that nobody saw the end of.
  struct MainProcess {
    pid_t pid = 0;
    std::uint64_t started = 0;
  };
  MainProcess find(const std::string& name) const;
  // `run` leaves a process of its own behind for a moment, which becomes the child of whoever adopts orphans: takes
  // those that have ended, so that none stays a zombie.
  void reap() const;
  // Forgets the container; its processes are dead already.
  void forget(const std::string& name) const;

  // Mounts the overlay in a process of its own and looks at it: "" or what the system said.
  static std::string tryOverlay(Call& call, const Overlay& overlay);

 private:
  std::string program_, why_, root_;
  bool crun_ = false, rootless_ = false;
  CgroupLayout layout_;
};

// Start time of a process in clock ticks since boot, by which it is told from a later one with the same number; 0 when
// there is no such process.
std::uint64_t startTimeOf(pid_t pid);
// A descriptor of exactly that process; none when it is gone.
Fd openProcess(pid_t pid, std::uint64_t started);

}  // namespace ocelot::oci
