#include "host/daemon/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <system_error>

namespace ocelot::daemon {
namespace {

sigset_t ours(bool with_pipe) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) sigaddset(&set, signal);
  if (with_pipe) sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace

void blockSignals() {
  const sigset_t set = ours(true);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::Signals(std::function<void(int)> on_end, std::function<void()> on_reload)
    : on_end_(std::move(on_end)), on_reload_(std::move(on_reload)) {
  const sigset_t set = ours(false);
  signals_ = process::Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw std::system_error(errno, std::generic_category(), "wait for signals: signalfd");
  thread_ = std::thread([this] { watch(); });
}

Signals::~Signals() {
  quit_.set();
  thread_.join();
}

void Signals::watch() {
  int ends = 0;
  for (;;) {
    pollfd fds[2] = {{signals_.get(), POLLIN, 0}, {quit_.fd(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) continue;
    if (fds[1].revents) return;
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
    if (info.ssi_signo == SIGHUP) {
      on_reload_();
    } else {
      on_end_(++ends);
    }
  }
}

}  // namespace ocelot::daemon
