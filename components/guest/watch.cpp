#include "components/guest/watch.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>

#include "components/guest/clock.hpp"

namespace ocelot::guest {

namespace {

constexpr std::int64_t kTick = 1000;        // poll's clock stands still while the machine sleeps; ours does not
constexpr std::size_t kMaxDiscarded = 256;  // descriptors; beyond, the oldest background process loses its output
constexpr std::size_t kDiscardRound = 1u << 20;

// From outside of the container the sender has no number here: 0. Inside, si_code tells a plain kill() from sigqueue(),
// whose sender could claim any number. As an ordinary process (in tests) there is no outside.
bool isFromOutside(const signalfd_siginfo& signal) {
  return ::getpid() != 1 || (signal.ssi_pid == 0 && signal.ssi_code == SI_USER);
}

std::int64_t micros(const timeval& time) { return std::int64_t{time.tv_sec} * 1000000 + time.tv_usec; }

}  // namespace

void Watch::blockSignals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

Watch::Watch(Counter alive, std::int64_t alive_timeout_ms, std::int64_t build_timeout_ms)
    : alive_(std::move(alive)),
      alive_timeout_ms_(alive_timeout_ms),
      alive_every_ms_(std::clamp<std::int64_t>(alive_timeout_ms / 5, 10, kTick)),
      last_alive_(alive_.value()),
      alive_since_(bootMillis()),
      alive_next_(alive_timeout_ms == 0 ? kNever : alive_since_ + alive_every_ms_),
      build_deadline_(build_timeout_ms == 0 ? kNever : alive_since_ + build_timeout_ms) {
  sigset_t heard;
  ::sigemptyset(&heard);
  ::sigaddset(&heard, SIGTERM);
  ::sigaddset(&heard, SIGCHLD);
  signals_ = Fd(::signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK));
}

void Watch::wait(std::vector<pollfd>& waits, std::int64_t until) {
  const std::size_t callers = waits.size();
  waits.push_back({signals_.get(), POLLIN, 0});
  for (const auto& pipe : discarded_) waits.push_back({pipe.get(), POLLIN, 0});

  std::int64_t now = bootMillis();
  until = std::min({until, now + kTick, alive_next_});
  if (order_ == Order::go_on) until = std::min(until, build_deadline_);
  ::poll(waits.data(), waits.size(), static_cast<int>(std::max<std::int64_t>(until - now, 0)));

  const bool signalled = waits[callers].revents != 0;
  const bool discardable = std::any_of(waits.begin() + static_cast<std::ptrdiff_t>(callers) + 1, waits.end(),
                                       [](const pollfd& each) { return each.revents != 0; });
  waits.resize(callers);
  if (signalled) takeSignals();
  if (discardable) drainDiscarded();
  now = bootMillis();
  if (now >= alive_next_) lookAtAlive(now);
  if (now >= build_deadline_ && order_ == Order::go_on) order_ = Order::build_timeout;
}

void Watch::takeSignals() {
  signalfd_siginfo signal{};
  bool ended = false;
  while (::read(signals_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
    if (signal.ssi_signo == SIGCHLD) ended = true;
    if (signal.ssi_signo != SIGTERM || !isFromOutside(signal)) continue;
    ++terms_;
    if (order_ == Order::go_on) order_ = Order::cancel;
  }
  if (ended) reap();
}

void Watch::reap() {
  rusage used{};
  int status = 0;
  for (pid_t pid; (pid = ::wait4(-1, &status, WNOHANG, &used)) > 0;)
    reaped_.push_back(
        {pid, status, micros(used.ru_utime) + micros(used.ru_stime), std::int64_t{used.ru_maxrss} * 1024});
}

std::vector<Reaped> Watch::takeReaped() {
  std::vector<Reaped> taken;
  taken.swap(reaped_);
  return taken;
}

void Watch::lookAtAlive(std::int64_t now) {
  alive_next_ = now + alive_every_ms_;
  const auto value = alive_.value();
  if (value != last_alive_) {
    last_alive_ = value;
    alive_since_ = now;
  } else if (now - alive_since_ >= alive_timeout_ms_) {
    order_ = Order::abandon;
  }
}

void Watch::discard(Fd pipe) {
  if (discarded_.size() >= kMaxDiscarded) discarded_.pop_front();
  discarded_.push_back(std::move(pipe));
}

void Watch::drainDiscarded() {
  static char nowhere[64u << 10];
  const auto ended = [](const Fd& pipe) {
    for (std::size_t dropped = 0; dropped < kDiscardRound;) {
      const ssize_t got = ::read(pipe.get(), nowhere, sizeof nowhere);
      if (got == 0) return true;
      if (got < 0) return errno != EAGAIN && errno != EINTR;
      dropped += static_cast<std::size_t>(got);
    }
    return false;
  };
  discarded_.erase(std::remove_if(discarded_.begin(), discarded_.end(), ended), discarded_.end());
}

}  // namespace ocelot::guest
