#include "host/process/child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/search_path.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "ocelot/call.hpp"

namespace bp = boost::process;

namespace ocelot::process {
namespace {

std::string findProgram(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    if (::access(program.c_str(), X_OK) != 0)
      throw Error(Status::not_found, "run " + program + ": " + std::generic_category().message(errno));
    return program;
  }
  const auto path = bp::search_path(program);
  if (path.empty()) throw Error(Status::not_found, "run " + program + ": no such program on PATH; install it");
  return path.string();
}

// In the child: `fd` becomes `number`, by way of a copy above the standard three so that none is overwritten early.
int liftedCopy(int fd) { return ::fcntl(fd >= 0 ? fd : ::open("/dev/null", O_RDWR), F_DUPFD, 10); }

// What the child does between fork and exec: nothing of the daemon's may leak into it. Poco's threads block TERM and
// PIPE, and children inherit that: a `yes | head` would never end.
void prepare(const Child::Start& start) {
  if (start.own_session) {
    ::setsid();
  } else {
    ::setpgid(0, 0);
  }
  const int in = liftedCopy(start.in), out = liftedCopy(start.out), err = liftedCopy(start.err);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
  if (::chdir(start.directory.c_str()) != 0) ::_exit(126);
  if (start.in_child) {
    try {
      start.in_child();
    } catch (...) {
      ::_exit(126);
    }
  }
}

}  // namespace

Child Child::start(const Start& start) {
  const std::string program = findProgram(start.program);
  if (::access(start.directory.c_str(), X_OK) != 0)
    throw Error(Status::not_found,
                "run " + program + " in " + start.directory + ": " + std::generic_category().message(errno));
  bp::environment environment;
  for (const auto& [name, value] : start.environment) environment[name] = value;
  try {
    bp::child child(
        bp::exe = program, bp::args = start.arguments, environment,
        bp::extend::on_exec_setup = [&](auto&) { prepare(start); });
    const pid_t pid = child.id();
    child.detach();
    if (!start.own_session) ::setpgid(pid, pid);  // whoever comes first, parent or child: the group exists from here on
    return Child(pid, static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  } catch (const bp::process_error& error) {
    throw Error(Status::internal, "run " + program + ": " + error.what());
  }
}

Child::Child(Child&& other) noexcept
    : pid_(other.pid_), pidfd_(std::exchange(other.pidfd_, -1)), status_(other.status_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(status_, other.status_);
  return *this;
}

Child::~Child() {
  if (pidfd_ >= 0) ::close(pidfd_);
}

void Child::signal(int number) const {
  if (!status_) ::kill(-pid_, number);
}

std::optional<int> Child::tryWait() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

int Child::wait() {
  int status = 0;
  while (!status_) {
    const pid_t got = ::waitpid(pid_, &status, 0);
    if (got == pid_) status_ = status;
    if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "wait for a child");
  }
  return *status_;
}

}  // namespace ocelot::process
