// What a Cluster's builds are made of: processes, folders, mounts, control groups.

#include <unistd.h>

#include <filesystem>

#include "tests/live/cluster/cluster.hpp"
#include "tests/support/installation_processes.hpp"

namespace ocelot::test {

namespace fs = std::filesystem;

std::vector<pid_t> Cluster::buildProcesses(const std::string& worker) const {
  std::vector<pid_t> out;
  for (const pid_t pid : allProcesses())
    if (pid != running_.at(worker).pid() && hasOpen(pid, place(worker) + "/data/builds/", "lock")) out.push_back(pid);
  return out;
}

std::vector<pid_t> Cluster::guestsOf(const std::string& worker) const {
  // A mount's root is told from its file system's own root on: where /tmp is one, nothing of the path stands before
  // this.
  const std::string ours = "/" + fs::path(folder_.path).filename().string() + "/" + worker + "/";
  std::vector<pid_t> out;
  for (const pid_t pid : allProcesses())
    if (!buildOfGuest(pid).empty() &&
        readFile("/proc/" + std::to_string(pid) + "/mountinfo").find(ours) != std::string::npos)
      out.push_back(pid);
  return out;
}

std::vector<std::string> Cluster::leftovers(const std::set<std::string>& build_ids) const {
  std::vector<std::string> out;
  for (const auto& worker : daemons("worker")) {
    listFolder(place(worker) + "/data/builds", "build folder", out);
    listFolder(place(worker) + "/data/images/containers", "container's storage", out);
    listFolder(place(worker) + "/run/builds", "run folder", out);
    listFolder(place(worker) + "/run/oci/containers", "container", out);
  }
  for (const pid_t pid : allProcesses())
    if (!buildOfGuest(pid).empty()) out.push_back("guest: " + std::to_string(pid));
  std::error_code failed;
  for (fs::recursive_directory_iterator at("/sys/fs/cgroup", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename();
    if (name.compare(0, 7, "ocelot-") == 0 && name.size() >= 43 && build_ids.count(name.substr(7, 36)))
      out.push_back("control group: " + at->path().string());
  }
  const std::string mounts = readFile("/proc/self/mountinfo");
  for (std::size_t begin = 0, end; (end = mounts.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = mounts.substr(begin, end - begin);
    if (line.find(folder_.path + "/worker") != std::string::npos) out.push_back("mount: " + line);
  }
  return out;
}

}  // namespace ocelot::test
