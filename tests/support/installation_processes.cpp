#include "tests/support/installation_processes.hpp"

#include <filesystem>

#include "tests/support/api.hpp"

namespace ocelot::test {

namespace fs = std::filesystem;

std::vector<pid_t> allProcesses() {
  std::vector<pid_t> out;
  std::error_code failed;
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) out.push_back(std::stoi(name));
  }
  return out;
}

std::string linkOf(const std::string& path) {
  std::error_code failed;
  return fs::read_symlink(path, failed).string();
}

bool hasOpen(pid_t pid, const std::string& prefix, const std::string& name) {
  std::error_code failed;
  for (fs::directory_iterator at("/proc/" + std::to_string(pid) + "/fd", failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string path = linkOf(at->path());
    if (path.starts_with(prefix) && (name.empty() || fs::path(path).filename() == name)) return true;
  }
  return false;
}

void listFolder(const std::string& folder, const std::string& what, std::vector<std::string>& out) {
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    out.push_back(what + ": " + at->path().string());
}

// Containers, and so their control groups, are named after their build.
std::string buildOfGuest(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const std::string group = readFile(folder + "/cgroup");
  const auto ours = group.find("/ocelot-");
  if (ours == std::string::npos || group.size() < ours + 44) return "";
  const std::string status = readFile(folder + "/status");
  const auto inside = status.find("\nNSpid:");
  if (inside == std::string::npos || status.find("\nState:\tZ") != std::string::npos) return "";
  const std::string numbers = status.substr(inside, status.find('\n', inside + 1) - inside);
  return numbers.compare(numbers.size() - 2, 2, "\t1") == 0 ? group.substr(ours + 8, 36) : "";
}

}  // namespace ocelot::test
