#include "host/process/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>

#include "host/process/child.hpp"
#include "host/process/fd.hpp"

namespace ocelot::process {
namespace {

using Clock = Call::Clock;

struct Pipe {
  Fd read, write;
};

Pipe makePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  return {Fd(ends[0]), Fd(ends[1])};
}

void nonBlocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// The running child: its ends of the pipes, and the poll loop that feeds and drains them.
class Running {
 public:
  Running(Call& call, const Command& command) : call_(call), command_(command) {
    Pipe in = makePipe(), out = makePipe(), err = makePipe();
    Child::Start start;
    start.program = command.program;
    start.arguments = command.arguments;
    start.environment = command.environment;
    if (!command.directory.empty()) start.directory = command.directory;
    start.in = in.read.get();
    start.out = out.write.get();
    start.err = err.write.get();
    start.in_child = command.in_child;
    child_.emplace(Child::start(start));
    in_ = std::move(in.write);
    out_ = std::move(out.read);
    err_ = std::move(err.read);
    nonBlocking(in_.get());
    nonBlocking(out_.get());
    nonBlocking(err_.get());
  }

  Result finish() {
    if (command_.input.empty()) in_.reset();
    while (!ended_ || out_ || err_) {
      if (ended_ && Clock::now() >= drain_until_) break;  // a grandchild keeps the pipes: its output is not ours
      if (!stopping_ && (call_.cancelled() || call_.remainingMs() == 0)) stop();
      if (stopping_ && !killed_ && Clock::now() >= kill_at_) {
        child_->signal(SIGKILL);
        killed_ = true;
      }
      turn();
    }
    child_->signal(SIGKILL);  // whatever the program left behind in its group
    const int status = child_->wait();
    if (stopping_)
      throw Error(Status::cancelled, "run " + command_.program + ": " +
                                         (call_.cancelled() ? "cancelled" : "stopped: it took longer than allowed"));
    if (WIFSIGNALED(status)) {
      result_.signal = WTERMSIG(status);
    } else {
      result_.exit_code = WEXITSTATUS(status);
    }
    return std::move(result_);
  }

 private:
  void stop() {
    stopping_ = true;
    kill_at_ = Clock::now() + command_.grace;
    child_->signal(SIGTERM);
  }

  int pollTimeout() const {
    auto until = Clock::time_point::max();
    if (ended_) until = drain_until_;
    if (stopping_ && !killed_) until = std::min(until, kill_at_);
    if (!stopping_) until = std::min(until, call_.deadline());
    if (until == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(std::min<long long>(left, 3600000));
  }

  void turn() {
    std::array<pollfd, 5> fds{{{out_.get(), POLLIN, 0},
                               {err_.get(), POLLIN, 0},
                               {in_.get(), POLLOUT, 0},
                               {ended_ ? -1 : child_->fd(), POLLIN, 0},
                               {stopping_ ? -1 : call_.cancelFd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), pollTimeout()) < 0) return;  // EINTR: round again
    if (fds[0].revents) take(out_, result_.out, false);
    if (fds[1].revents) take(err_, result_.err, true);
    if (fds[2].revents) give();
    if (fds[3].revents) {
      ended_ = true;
      drain_until_ = Clock::now() + std::chrono::milliseconds(500);
    }
  }

  void take(Fd& from, std::string& into, bool is_error) {
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return from.reset();
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (is_error && command_.on_error_output) command_.on_error_output(bytes);
    const std::size_t room = command_.max_output_bytes - std::min(command_.max_output_bytes, into.size());
    into.append(bytes.substr(0, room));
    if (bytes.size() > room && !is_error) result_.out_truncated = true;
  }

  void give() {
    const ssize_t put = ::write(in_.get(), command_.input.data() + given_, command_.input.size() - given_);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (put > 0) given_ += static_cast<std::size_t>(put);
    if (put <= 0 || given_ == command_.input.size()) in_.reset();
  }

  Call& call_;
  const Command& command_;
  std::optional<Child> child_;
  Fd in_, out_, err_;
  Result result_;
  std::size_t given_ = 0;
  bool ended_ = false, stopping_ = false, killed_ = false;
  Clock::time_point drain_until_, kill_at_;
};

}  // namespace

Result run(Call& call, const Command& command) {
  call.check("starting " + command.program);
  return Running(call, command).finish();
}

std::map<std::string, std::string> plainEnvironment() {
  std::map<std::string, std::string> environment{{"LANG", "C.UTF-8"}};
  for (const char* name : {"PATH", "HOME", "TMPDIR"})
    if (const char* value = std::getenv(name)) environment[name] = value;
  environment.try_emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  return environment;
}

}  // namespace ocelot::process
