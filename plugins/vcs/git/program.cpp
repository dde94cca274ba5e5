#include "program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace ocelot::vcs_git {

namespace {

[[noreturn]] void fail(const std::string& what, int error) {
  throw Error(Status::internal, what + ": " + std::generic_category().message(error));
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("make a pipe", errno);
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(int end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// The child runs in a group of its own with all signals at their defaults: the host's threads may block some of them.
pid_t start(const Program& program, Pipe& out, Pipe& err) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, out.ends[1], 1);
  ::posix_spawn_file_actions_adddup2(&files, err.ends[1], 2);
  ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
  ::posix_spawn_file_actions_addchdir_np(&files, "/");
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = program.command, environment;
  for (const auto& [name, value] : program.environment) environment.push_back(name + "=" + value);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments[0].c_str(), &files, &attributes, pointers(arguments).data(),
                                   pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) fail("run " + program.command[0], error);
  out.close(1);
  err.close(1);
  return pid;
}

// false: the pipe is at its end.
bool take(int from, std::string& into, std::size_t most, bool& truncated) {
  char buffer[65536];
  const ssize_t got = ::read(from, buffer, sizeof buffer);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got <= 0) return false;
  const std::size_t room = most - std::min(most, into.size());
  into.append(buffer, std::min(room, static_cast<std::size_t>(got)));
  truncated = truncated || static_cast<std::size_t>(got) > room;
  return true;
}

}  // namespace

Ended runProgram(Call& call, const Program& program) {
  call.check("starting " + program.command[0]);
  Pipe out, err;
  const pid_t pid = start(program, out, err);
  Ended ended;
  bool stopped = false, ignored = false;
  while (!stopped && (out.ends[0] >= 0 || err.ends[0] >= 0)) {
    pollfd wait[3] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {call.cancelFd(), POLLIN, 0}};
    // A caller without a descriptor is asked now and then.
    const int left = call.remainingMs();
    ::poll(wait, 3, call.cancelFd() >= 0 ? left : left < 0 ? 250 : std::min(left, 250));
    if (wait[0].revents != 0 && !take(out.ends[0], ended.out, program.max_output_bytes, ended.truncated)) out.close(0);
    if (wait[1].revents != 0 && !take(err.ends[0], ended.err, 256u << 10, ignored)) err.close(0);
    stopped = call.cancelled() || call.remainingMs() == 0;
  }
  // Git holds nothing that a signal could spoil: what it had not finished is removed with the next try.
  if (stopped) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (stopped)
    throw Error(Status::cancelled,
                "run " + program.command[0] + ": " + (call.cancelled() ? "cancelled" : "it took longer than allowed"));
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  return ended;
}

}  // namespace ocelot::vcs_git
