#include "components/cli/up/supervisor.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "components/cli/command.hpp"
#include "host/builddir/directory.hpp"
#include "host/config/config.hpp"
#include "host/process/process.hpp"

namespace ocelot::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kStartPatience{60000};
constexpr milliseconds kQuick{10000};  // a daemon that ends sooner waits longer before it is started again
constexpr int kConfigurationWrong = 78;

std::string lastWords(const std::string& log_file) {
  const auto text = builddir::readIfPresent(log_file, 256u << 20).value_or("");
  const std::size_t begin = text.size() < 2000 ? 0 : text.find('\n', text.size() - 2000) + 1;
  return text.substr(begin);
}

std::string howEnded(int status) {
  return WIFSIGNALED(status) ? std::string("SIG") + ::sigabbrev_np(WTERMSIG(status))
                             : "exit status " + std::to_string(WEXITSTATUS(status));
}

// Does something accept connections there?
bool accepts(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0) return false;
  bool good = false;
  for (const addrinfo* one = found; one && !good; one = one->ai_next) {
    const int fd = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
    good = fd >= 0 && ::connect(fd, one->ai_addr, one->ai_addrlen) == 0;
    if (fd >= 0) ::close(fd);
  }
  ::freeaddrinfo(found);
  return good;
}

}  // namespace

Supervisor::Supervisor(std::vector<Supervised> daemons, std::function<void(const std::string&)> say)
    : say_(std::move(say)) {
  for (auto& daemon : daemons) {
    State state;
    state.daemon = std::move(daemon);
    states_.push_back(std::move(state));
  }
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGHUP}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void Supervisor::launch(State& state) {
  std::filesystem::create_directories(std::filesystem::path(state.daemon.log_file).parent_path());
  const int log = ::open(state.daemon.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  process::Child::Start how;
  how.program = state.daemon.program;
  how.arguments = state.daemon.arguments;
  how.environment = config::processEnvironment();
  how.out = how.err = log;
  // They do not outlive a killed `ocelot up`. KILL and not TERM: a worker that drains would keep its port, and there is
  // nothing to drain for, as builds go on without it and its successor adopts them.
  how.in_child = [] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); };
  state.child.emplace(process::Child::start(how));
  if (log >= 0) ::close(log);
  state.started_at = Clock::now();
}

void Supervisor::refuseTakenPorts() const {
  for (const State& state : states_)
    if (accepts(state.daemon.address))
      throw Failure(
          "ocelot-" + state.daemon.name + " cannot listen on " + state.daemon.address + ": something else does",
          "`ocelot up --port N` takes N to N+3 instead of these ports; `ss -ltnp` says who has them");
}

bool Supervisor::start() {
  for (State& state : states_) {
    launch(state);
    if (!awaitHealth(state)) return false;
  }
  return true;
}

bool Supervisor::awaitHealth(State& state) {
  while (true) {
    const auto status = state.child->tryWait();
    if (!status && accepts(state.daemon.address)) return true;
    if (status || Clock::now() - state.started_at > kStartPatience) {
      for (State& other : states_)
        if (other.child && !other.child->tryWait()) other.child->signal(SIGTERM);
      throw Failure("ocelot-" + state.daemon.name +
                        (status ? " ended at once (" + howEnded(*status) + ")" : " does not answer") + ":\n" +
                        lastWords(state.daemon.log_file),
                    "its log is " + state.daemon.log_file);
    }
    if (wasAsked()) return false;
    std::array<pollfd, 2> fds{{{state.child->fd(), POLLIN, 0}, {signals_, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), 10);
  }
}

// Reads what signals have come. true: to end.
bool Supervisor::wasAsked() {
  for (signalfd_siginfo info{}; ::read(signals_, &info, sizeof info) > 0;) {
    if (info.ssi_signo == SIGHUP)
      for (State& state : states_)
        if (state.child) state.child->signal(SIGHUP);
    if (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT) continue;
    say_(++asked_ == 1 ? "finishing the running builds; once more to stop them and give them back" : "stopping");
    // The worker goes first and last: nobody else is missed before its builds have ended.
    for (State& state : states_)
      if (state.child && state.daemon.name == "worker") state.child->signal(SIGTERM);
  }
  return asked_ > 0;
}

void Supervisor::look(State& state, bool stopping) {
  if (state.child) {
    const auto status = state.child->tryWait();
    if (!status) return;
    state.child.reset();
    if (stopping) return;
    const bool quick = Clock::now() - state.started_at < kQuick;
    state.quick_deaths = quick ? state.quick_deaths + 1 : 0;
    state.start_again_at =
        Clock::now() + milliseconds(std::min(30000, quick ? 200 << std::min(state.quick_deaths, 7) : 0));
    say_("ocelot-" + state.daemon.name + " ended (" + howEnded(*status) + "); it is started again");
    if (WIFEXITED(*status) && WEXITSTATUS(*status) == kConfigurationWrong)
      throw Failure("ocelot-" + state.daemon.name + " cannot start:\n" + lastWords(state.daemon.log_file),
                    "its log is " + state.daemon.log_file);
  }
  if (!stopping && Clock::now() >= state.start_again_at) launch(state);
}

int Supervisor::run() {
  while (true) {
    pollfd wait{signals_, POLLIN, 0};
    if (asked_ == 0) ::poll(&wait, 1, 200);
    const bool ending = wasAsked();
    bool running = false;
    for (State& state : states_) {
      look(state, ending);
      if (state.child && state.daemon.name == "worker") running = true;
    }
    if (!ending) continue;
    if (running) {
      ::poll(&wait, 1, 200);
      continue;
    }
    for (State& state : states_)
      if (state.child) state.child->signal(SIGTERM);
    for (State& state : states_)
      if (state.child) state.child->wait();
    return kPassed;
  }
}

}  // namespace ocelot::cli
