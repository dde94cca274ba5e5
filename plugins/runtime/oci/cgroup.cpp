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

bool isUnified(const std::string& path) {
  struct statfs status;
  return ::statfs(path.c_str(), &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

std::string contentOf(const std::string& path) { return readFileIfPresent(path, 1u << 20).value_or(""); }

// Folders within, deepest first, then the folder itself: a build may have made groups of its own.
void removeGroups(const std::string& folder, int depth) {
  if (depth < 32) {
    for (const std::string& name : namesIn(folder)) {
      struct stat status;
      const std::string inner = folder + "/" + name;
      if (::lstat(inner.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) removeGroups(inner, depth + 1);
    }
  }
  // A group stays busy for a moment after its last process was reaped.
  for (int attempt = 0; ::rmdir(folder.c_str()) != 0; ++attempt) {
    if (errno == ENOENT) return;
    if (errno != EBUSY || attempt == 200) failSystem("remove the control group " + folder, errno);
    ::poll(nullptr, 0, attempt < 20 ? 1 : 10);
  }
}

void killIn(const std::string& folder, bool& found, int depth) {
  std::istringstream pids(contentOf(folder + "/cgroup.procs"));
  for (pid_t pid = 0; pids >> pid;) {
    if (pid <= 0) continue;
    found = true;
    ::kill(pid, SIGKILL);
  }
  if (depth >= 32) return;
  for (const std::string& name : namesIn(folder)) {
    struct stat status;
    const std::string inner = folder + "/" + name;
    if (::lstat(inner.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) killIn(inner, found, depth + 1);
  }
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

std::vector<std::string> Cgroup::folders() const {
  std::vector<std::string> found;
  if (isUnified(kRoot)) {
    if (present(kRoot + path_)) found.push_back(kRoot + path_);
    return found;
  }
  for (const std::string& controller : namesIn(kRoot)) {
    const std::string folder = kRoot + "/" + controller + path_;
    if (present(folder)) found.push_back(folder);
  }
  return found;
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

void Cgroup::killAll(Call& call) const {
  const auto groups = folders();
  for (int attempt = 0; !groups.empty(); ++attempt) {
    bool found = false;
    for (const std::string& folder : groups) {
      if (attempt == 0 && present(folder + "/cgroup.kill")) writeFile(folder + "/cgroup.kill", "1");
      killIn(folder, found, 0);
    }
    if (!found) return;
    call.check("waiting for the processes of " + path_ + " to end");
    ::poll(nullptr, 0, attempt < 20 ? 1 : 20);
  }
}

void Cgroup::remove() const {
  for (const std::string& folder : folders()) removeGroups(folder, 0);
}

}  // namespace ocelot::oci
