#include "components/guest/processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "components/guest/fd.hpp"

namespace ocelot::guest {

namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// A kill can race with a fork; what was born meanwhile falls in the next round. A fork bomb that outruns all of them is
// ended by killEverything(), which no fork can outrun when the guest is process 1.
constexpr int kRounds = 20;

std::optional<Process> readProcess(int proc, const std::string& pid) {
  const Fd file(::openat(proc, (pid + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (got <= 0) return std::nullopt;
  text[got] = '\0';
  // The name stands in parentheses and may hold anything, also parentheses: what follows begins after the last one.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr) return std::nullopt;
  Process process;
  process.pid = std::atoi(text);
  int field = 2;
  for (at = std::strchr(at, ' '); at != nullptr; at = std::strchr(at + 1, ' ')) {
    ++field;
    if (field == 4) process.parent = std::atoi(at);
    if (field == 22) {
      process.started = std::strtoull(at, nullptr, 10);
      return process;
    }
  }
  return std::nullopt;
}

// Does /proc speak of our own process namespace?
bool isOurs(int proc) {
  char link[32];
  const ssize_t size = ::readlinkat(proc, "self", link, sizeof link - 1);
  return size > 0 && std::string(link, static_cast<std::size_t>(size)) == std::to_string(::getpid());
}

enum class Kin { stranger, earlier, stage };

class Kinship {
 public:
  Kinship(const Processes& now, const Processes& earlier) : now_(now), earlier_(earlier), self_(::getpid()) {}

  // The nearest kin up the line of parents; not recursive, because a build decides how long that line is.
  Kin of(pid_t pid) {
    std::vector<pid_t> line;
    Kin kin = Kin::stranger;
    for (;;) {
      if (pid == self_) {
        kin = Kin::stage;  // what has no nearer kin is of the stage
        break;
      }
      const auto known = known_.find(pid);
      const auto process = now_.find(pid);
      if (known != known_.end()) kin = known->second;
      if (known != known_.end() || process == now_.end()) break;
      const auto before = earlier_.find(pid);
      if (before != earlier_.end() && before->second.started == process->second.started) {
        kin = Kin::earlier;
        break;
      }
      known_[pid] = Kin::stranger;  // ends the walk, should two reads of /proc have made a circle
      line.push_back(pid);
      pid = process->second.parent;
    }
    for (const pid_t member : line) known_[member] = kin;
    return kin;
  }

 private:
  const Processes& now_;
  const Processes& earlier_;
  pid_t self_;
  std::map<pid_t, Kin> known_;
};

// One round; false when there was nothing to kill.
bool killDescendants(const Processes& earlier) {
  const Processes now = listProcesses();
  Kinship kinship(now, earlier);
  bool found = false;
  for (const auto& [pid, process] : now)
    if (pid != ::getpid() && kinship.of(pid) == Kin::stage) found = ::kill(pid, SIGKILL) == 0 || found;
  return found;
}

}  // namespace

Processes listProcesses() {
  Processes found;
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir("/proc"));
  if (!folder || !isOurs(::dirfd(folder.get()))) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (const auto process = readProcess(::dirfd(folder.get()), entry->d_name)) found[process->pid] = *process;
  }
  return found;
}

bool descendsFrom(pid_t pid, pid_t ancestor) {
  const Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc || !isOurs(proc.get())) return false;
  for (int step = 0; pid > 1 && step < 10000; ++step) {
    if (pid == ancestor) return true;
    const auto process = readProcess(proc.get(), std::to_string(pid));
    if (!process) return false;
    pid = process->parent;
  }
  return false;
}

void killStage(pid_t leader, const Processes& earlier) {
  for (int round = 0; round < kRounds; ++round) {
    if (leader > 0) ::kill(-leader, SIGKILL);
    if (!killDescendants(earlier)) return;
  }
}

void killEverything() {
  if (::getpid() == 1)
    ::kill(-1, SIGKILL);
  else
    killStage(0, {});
}

}  // namespace ocelot::guest
