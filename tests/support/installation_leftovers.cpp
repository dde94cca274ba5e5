// What an Installation's builds leave behind, and the end of everything.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/support/installation.hpp"
#include "tests/support/installation_processes.hpp"

namespace ocelot::test {

namespace fs = std::filesystem;

std::vector<pid_t> Installation::buildProcesses(const std::string& build_id) const {
  std::set<pid_t> daemons;
  for (const auto& [name, daemon] : daemons_) daemons.insert(daemon.pid());
  std::vector<pid_t> out;
  for (const pid_t pid : allProcesses())
    for (const auto& data : dataDirs())
      if (!daemons.count(pid) && hasOpen(pid, data + "/builds/" + build_id + "/lock")) out.push_back(pid);
  return out;
}

std::vector<pid_t> Installation::contained() const {
  const std::string here = linkOf("/proc/self/ns/mnt");
  // A mount's root is told from its file system's own root on: where /tmp is one, nothing of the path stands before
  // this.
  const std::string ours = "/" + fs::path(folder_.path).filename().string() + "/";
  std::vector<pid_t> out;
  for (const pid_t pid : allProcesses()) {
    const std::string folder = "/proc/" + std::to_string(pid);
    const std::string theirs = linkOf(folder + "/ns/mnt");
    if (theirs.empty() || theirs == here) continue;
    if (readFile(folder + "/mountinfo").find(ours) != std::string::npos &&
        readFile(folder + "/stat").find(") Z ") == std::string::npos)
      out.push_back(pid);
  }
  return out;
}

std::vector<std::string> Installation::leftovers() const {
  std::vector<std::string> out;
  std::set<std::string> ids;
  for (const auto& data : dataDirs()) {
    listFolder(data + "/builds", "build folder", out);
    listFolder(data + "/images/containers", "container's storage", out);
  }
  for (const auto& run : runDirs()) {
    listFolder(run + "/builds", "run folder", out);
    listFolder(run + "/oci/containers", "container", out);
  }
  for (const pid_t pid : contained()) out.push_back("process in a container: " + std::to_string(pid));
  // Containers are named after their build; control groups after their container.
  std::error_code failed;
  for (fs::recursive_directory_iterator at("/sys/fs/cgroup", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename();
    if (name.compare(0, 7, "ocelot-") != 0 || name.size() < 43) continue;
    const std::string id = name.substr(7, 36);
    if (fs::exists(folder_.path + "/seen/" + id)) out.push_back("control group: " + at->path().string());
  }
  const std::string mounts = readFile("/proc/self/mountinfo");
  for (std::size_t begin = 0, end; (end = mounts.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = mounts.substr(begin, end - begin);
    if (line.find(runDir() + "/") != std::string::npos || line.find(data_dir_ + "/images") != std::string::npos)
      out.push_back("mount: " + line);
  }
  return out;
}

void Installation::awaitClean(std::chrono::seconds limit) {
  std::vector<std::string> left;
  try {
    await(
        "nothing is left behind", [&] { return (left = leftovers()).empty(); }, limit);
  } catch (const std::runtime_error&) {
    std::string text = "left behind:";
    for (const auto& one : left) text += "\n  " + one;
    throw std::runtime_error(text + "\nworker:\n" + log("worker"));
  }
}

void Installation::endEverything() noexcept {
  try {
    // Workers first: they give their builds back on the second signal, and clear up after them.
    for (const std::string name : {"worker", "worker2"}) {
      if (!daemons_.count(name)) continue;
      process::Child& worker = daemons_.at(name);
      for (const int signal : {SIGCONT, SIGTERM}) worker.signal(signal);
      try {
        await(
            "the worker ends",
            [&worker, asked = 0]() mutable {
              if (++asked % 20 == 0) worker.signal(SIGTERM);
              return worker.tryWait().has_value();
            },
            std::chrono::seconds(20));
      } catch (const std::runtime_error&) {
        worker.signal(SIGKILL);
        worker.wait();
      }
      daemons_.erase(name);
    }
    for (auto& [name, daemon] : daemons_) {
      daemon.signal(SIGKILL);
      daemon.wait();
    }
    daemons_.clear();
    for (const pid_t pid : allProcesses())
      for (const auto& data : dataDirs())
        if (hasOpen(pid, data + "/builds/")) ::kill(pid, SIGKILL);
    for (const pid_t pid : contained()) ::kill(pid, SIGKILL);
    await(
        "containers end", [this] { return contained().empty(); }, std::chrono::seconds(10));
    std::error_code ignored;
    std::vector<std::string> groups;  // removed afterwards: an iterator ends where its folder goes
    for (fs::recursive_directory_iterator at("/sys/fs/cgroup", ignored), end; !ignored && at != end;
         at.increment(ignored)) {
      const std::string name = at->path().filename();
      if (name.compare(0, 7, "ocelot-") == 0 && name.size() >= 43 &&
          fs::exists(folder_.path + "/seen/" + name.substr(7, 36)))
        groups.push_back(at->path());
    }
    for (const auto& group : groups) ::rmdir(group.c_str());
  } catch (const std::exception&) {
    // What is left is named by the test that looks for it.
  }
}

}  // namespace ocelot::test
