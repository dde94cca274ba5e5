#include "cgroup.hpp"

#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "file.hpp"

namespace ocelot::oci {
namespace {

const std::string kRoot = "/sys/fs/cgroup";
constexpr std::size_t kMaxGroups = 100000;

bool isUnified(const std::string& path) {
  struct statfs status;
  return ::statfs(path.c_str(), &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

std::string contentOf(const std::string& path) { return readFileIfPresent(path, 1u << 20).value_or(""); }

// The groups of a hierarchy that are, or were just now, below `folder`, it first.
void collectGroups(const std::string& folder, std::vector<std::string>& groups) {
  if (groups.size() >= kMaxGroups) return;
  groups.push_back(folder);
  for (const std::string& name : foldersIn(folder)) collectGroups(folder + "/" + name, groups);
}

}  // namespace

CgroupLayout cgroupLayout() {
  if (isUnified(kRoot)) return CgroupLayout::v2;
  if (!present(kRoot + "/memory") && !present(kRoot + "/cpu") && !present(kRoot + "/pids")) return CgroupLayout::none;
  return isUnified(kRoot + "/unified") ? CgroupLayout::hybrid : CgroupLayout::v1;
}

const char* nameOf(CgroupLayout layout) {
  switch (layout) {
    case CgroupLayout::v1:
      return "v1";
    case CgroupLayout::hybrid:
      return "hybrid";
    case CgroupLayout::v2:
      return "v2";
    case CgroupLayout::none:
      break;
  }
  return "none";
}

std::uint64_t Cgroup::outOfMemoryKills() const {
  const std::string file =
      isUnified(kRoot) ? kRoot + path_ + "/memory.events" : kRoot + "/memory" + path_ + "/memory.oom_control";
  std::istringstream lines(contentOf(file));
  std::string key;
  for (std::uint64_t value = 0; lines >> key >> value;)
    if (key == "oom_kill") return value;
  return 0;
}

void Cgroup::killAll(Call& call, const std::vector<std::string>& groups) const {
  for (int attempt = 0;; ++attempt) {
    bool found = false;
    for (const std::string& folder : groups) {
      std::istringstream pids(contentOf(folder + "/cgroup.procs"));
      for (pid_t pid = 0; pids >> pid;) {
        if (pid <= 0) continue;  // of another process namespace
        found = true;
        ::kill(pid, SIGKILL);
      }
    }
    if (!found) return;
    call.check("waiting for the processes of the control group " + path_ + " to end");
    ::poll(nullptr, 0, attempt < 20 ? 1 : 20);
  }
}

void Cgroup::remove(Call& call) const {
  std::vector<std::string> tops;
  if (isUnified(kRoot)) {
    tops.push_back(kRoot + path_);
  } else {
    for (const std::string& controller : foldersIn(kRoot)) tops.push_back(kRoot + "/" + controller + path_);
  }
  for (const std::string& top : tops) {
    // Nearly always empty: its processes went with the container's PID 1.
    if (::rmdir(top.c_str()) == 0 || errno == ENOENT) continue;
    if (present(top + "/cgroup.kill")) writeFile(top + "/cgroup.kill", "1");
    std::vector<std::string> groups;
    collectGroups(top, groups);
    killAll(call, groups);
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
      // A group stays busy for a moment after its last process was reaped.
      for (int attempt = 0; ::rmdir(group->c_str()) != 0 && errno != ENOENT; ++attempt) {
        if (errno != EBUSY || attempt == 200) failSystem("remove the control group " + *group, errno);
        call.check("removing the control group " + *group);
        ::poll(nullptr, 0, attempt < 20 ? 1 : 10);
      }
    }
  }
}

}  // namespace ocelot::oci
