#include "components/cli/up/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "components/cli/command.hpp"
#include "host/builddir/directory.hpp"
#include "host/config/config.hpp"
#include "host/http/client.hpp"
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

bool answers(const std::string& url) {
  http::ClientSettings settings;
  settings.url = url;
  HttpRequest request;
  request.url = "/healthz";
  SimpleCall call(milliseconds(1000));
  try {
    return http::Client(settings).send(call, request).status == 200;
  } catch (const Error&) {
    return false;
  }
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
  how.in_child = [] { ::prctl(PR_SET_PDEATHSIG, SIGTERM); };  // they do not outlive a killed `ocelot up`
  state.child.emplace(process::Child::start(how));
  if (log >= 0) ::close(log);
  state.started_at = Clock::now();
}

void Supervisor::start() {
  for (State& state : states_) {
    launch(state);
    awaitHealth(state);
  }
}

void Supervisor::awaitHealth(State& state) {
  while (!answers(state.daemon.health_url)) {
    const auto status = state.child->tryWait();
    const bool late = Clock::now() - state.started_at > kStartPatience;
    if (status || late) {
      for (State& other : states_)
        if (other.child && !other.child->tryWait()) other.child->signal(SIGTERM);
      throw Failure("ocelot-" + state.daemon.name +
                        (status ? " ended at once (" + howEnded(*status) + ")" : " does not answer") + ":\n" +
                        lastWords(state.daemon.log_file),
                    "its log is " + state.daemon.log_file);
    }
    pollfd wait{state.child->fd(), POLLIN, 0};
    ::poll(&wait, 1, 10);
  }
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
      throw Failure("ocelot-" + state.daemon.name + " cannot start:\n" + lastWords(state.daemon.log_file));
  }
  if (!stopping && Clock::now() >= state.start_again_at) launch(state);
}

int Supervisor::run() {
  int asked = 0;
  while (true) {
    pollfd wait{signals_, POLLIN, 0};
    ::poll(&wait, 1, 200);
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) > 0) {
      if (info.ssi_signo == SIGHUP)
        for (State& state : states_)
          if (state.child) state.child->signal(SIGHUP);
      if (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT) continue;
      say_(++asked == 1 ? "finishing the running builds; once more to stop them and give them back" : "stopping");
      // The worker goes first and last: nobody else is missed before its builds have ended.
      for (State& state : states_)
        if (state.child && state.daemon.name == "worker") state.child->signal(SIGTERM);
    }
    bool running = false;
    for (State& state : states_) {
      look(state, asked > 0);
      if (state.child && state.daemon.name == "worker") running = true;
    }
    if (asked == 0 || running) continue;
    for (State& state : states_)
      if (state.child) state.child->signal(SIGTERM);
    for (State& state : states_)
      if (state.child) state.child->wait();
    return kPassed;
  }
}

}  // namespace ocelot::cli
