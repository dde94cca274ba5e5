#include "components/cli/run/local_build.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "components/cli/terminal.hpp"
#include "host/process/process.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kBeat{5000};      // the guest ends by itself when it hears nothing for 25 s
constexpr milliseconds kClearUp{60000};  // for the end of a build that is not ours to wait for
constexpr std::size_t kBlock = 256u << 10;

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Beside the lock that the build process holds: whose directory it is.
std::string ownerLock(const builddir::Directory& directory) { return directory.disk() + "/run.lock"; }

// Held while directories are made and swept, so that nobody sweeps what somebody is about to own.
class Gate {
 public:
  explicit Gate(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Gate() { ::close(fd_); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

 private:
  int fd_;
};

process::Child launch(const std::string& worker, const builddir::Directory& directory, int in) {
  const int log = ::open(directory.processLog().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  process::Child::Start how;
  how.program = worker;
  how.arguments = {"build", directory.disk(), directory.run()};
  how.environment = process::plainEnvironment();
  how.in = in;
  how.out = how.err = log;
  auto child = process::Child::start(how);
  if (log >= 0) ::close(log);
  return child;
}

// A build process finds the container of one that died, kills it and removes what there is.
void endForGood(const std::string& worker, const builddir::Directory& directory) {
  if (!fs::exists(directory.spec()) || !fs::exists(directory.run()) || directory.busy()) return;
  builddir::replaceFile(directory.cancelFile(), "kill");
  auto child = launch(worker, directory, -1);
  pollfd end{child.fd(), POLLIN, 0};
  if (::poll(&end, 1, static_cast<int>(kClearUp.count())) <= 0) child.signal(SIGKILL);
  child.wait();
}

// What killed runs left: theirs to hold are two locks, and the kernel has dropped both.
void sweep(const std::string& worker, const std::string& disk, const std::string& run) {
  for (const auto& entry : fs::directory_iterator(disk)) {
    if (!entry.is_directory()) continue;
    const builddir::Directory directory(entry.path(), run + "/" + entry.path().filename().string());
    if (fs::exists(directory.disk() + "/kept") || directory.busy() || !builddir::Lock::tryTake(ownerLock(directory)))
      continue;
    endForGood(worker, directory);
    directory.remove();
  }
}

std::string howEnded(int status) {
  return WIFSIGNALED(status) ? std::string("SIG") + ::sigabbrev_np(WTERMSIG(status))
                             : "exit status " + std::to_string(WEXITSTATUS(status));
}

// The build ends by its cancel file, not by the signal itself: its process is in a group of its own.
class Interrupts {
 public:
  Interrupts() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Interrupts() {
    ::close(fd_);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  int fd() const { return fd_; }
  int count() const {
    int signals = 0;
    for (signalfd_siginfo info{}; ::read(fd_, &info, sizeof info) > 0;) ++signals;
    return signals;
  }

 private:
  sigset_t before_{};
  int fd_ = -1;
};

std::string folderFor(const std::string& base) {
  fs::create_directories(base);
  fs::permissions(base, fs::perms::owner_all);
  return base;
}

}  // namespace

LocalBuild::LocalBuild(const Installation& installation, builddir::Order order, bool keep)
    : worker_(installation.findProgram("ocelot-worker")),
      order_(std::move(order)),
      directory_(folderFor(installation.data_dir + "/run-builds") + "/" + order_.build.id,
                 folderFor(installation.run_dir + "/run-builds") + "/" + order_.build.id),
      keep_(keep),
      events_(directory_.events()) {
  if (worker_.empty())
    throw Failure("there is no ocelot-worker in " + installation.programs,
                  "`ocelot` and the other programs belong in one folder");
  const std::string disk = fs::path(directory_.disk()).parent_path(), run = fs::path(directory_.run()).parent_path();
  const Gate gate(disk + "/gate");
  sweep(worker_, disk, run);
  directory_.create();
  if (auto lock = builddir::Lock::tryTake(ownerLock(directory_))) owned_.emplace(std::move(*lock));
  beat();
  builddir::replaceFile(directory_.spec(), builddir::encode(order_));
}

LocalBuild::~LocalBuild() {
  try {
    if (process_ && !process_->tryWait()) {
      // We leave early, by an exception: the build does not go on without us.
      process_->signal(SIGKILL);
      process_->wait();
    }
    if (process_ && !removed_) endForGood(worker_, directory_);
    if (keep_) {
      builddir::replaceFile(directory_.disk() + "/kept", "");
      std::error_code ignored;
      fs::remove_all(directory_.run(), ignored);
    } else {
      directory_.remove();
    }
  } catch (const std::exception& error) {
    std::cerr << "clear up " << directory_.disk() << ": " << error.what() << "\n";
  }
}

void LocalBuild::start(const builddir::Envelope& envelope) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Failure(std::string("make a pipe: ") + ::strerror(errno));
  try {
    process_.emplace(launch(worker_, directory_, ends[0]));
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[0]);
  const std::string line = builddir::encode(envelope) + "\n";
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t put = ::write(ends[1], line.data() + done, line.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) break;  // it has ended, and says why itself
    done += static_cast<std::size_t>(put);
  }
  ::close(ends[1]);
  order_.build.state = model::BuildState::running;
  order_.build.started_at = now();
}

void LocalBuild::follow(const std::function<bool(std::string_view)>& log) {
  const Interrupts interrupts;
  logs::LogWatch watch;
  const auto changed = watch.subscribe(directory_.disk());
  auto next_beat = Clock::now() + kBeat;
  while (true) {
    changed->clear();
    const auto status = process_->tryWait();  // asked first: what came before the end is then read
    events_.poll([this](const builddir::Event& event) { take(event); });
    const bool more = printLog(log);  // a block at a time: whatever the build prints, the rest of this has its turn
    if (status && !more) {
      ended(*status);
      break;
    }
    const auto until = std::chrono::duration_cast<milliseconds>(next_beat - Clock::now()).count();
    std::array<pollfd, 3> fds{{{changed->fd(), POLLIN, 0}, {process_->fd(), POLLIN, 0}, {interrupts.fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), more ? 0 : static_cast<int>(std::max<long>(0, until)));
    for (int signals = interrupts.count(); signals > 0; --signals) interrupted();
    if (Clock::now() >= next_beat) {
      beat();
      next_beat = Clock::now() + kBeat;
    }
  }
  order_.build.finished_at = now();
}

void LocalBuild::take(const builddir::Event& event) {
  switch (event.kind) {
    case builddir::Event::Kind::phase:
      phase_ = event.text;
      break;
    case builddir::Event::Kind::stage: {
      const auto index = static_cast<std::size_t>(std::clamp(event.stage.index, 0, 999));
      if (order_.build.stages.size() <= index) order_.build.stages.resize(index + 1);
      order_.build.stages[index] = event.stage;
      break;
    }
    case builddir::Event::Kind::result:
      order_.build.state = event.outcome.state;
      order_.build.reason = event.outcome.reason;
      order_.build.sentence = event.outcome.sentence;
      order_.build.log_bytes = event.log_bytes;
      concluded_ = true;
      break;
    case builddir::Event::Kind::removed:
      removed_ = true;
      break;
    case builddir::Event::Kind::image:
      break;
  }
}

bool LocalBuild::printLog(const std::function<bool(std::string_view)>& log) {
  if (!log_ && fs::exists(directory_.log())) log_.emplace(directory_.disk());
  if (!log_) return false;
  const std::string bytes = log_->read(printed_, kBlock);
  printed_ += static_cast<std::int64_t>(bytes.size());
  if (!bytes.empty() && !log(bytes) && interrupts_ == 0) interrupted();
  return bytes.size() == kBlock;
}

void LocalBuild::beat() { builddir::showSignOfLife(directory_.alive(), builddir::bootMillis()); }

void LocalBuild::interrupted() {
  if (++interrupts_ == 1) {
    std::cerr << "\n" << paint("canceling; Ctrl-C once more to kill it", Colour::yellow, 2) << std::endl;
    builddir::replaceFile(directory_.cancelFile(), "cancel");
  } else if (interrupts_ == 2) {
    std::cerr << "\n" << paint("killing; Ctrl-C once more not to wait for that either", Colour::yellow, 2) << std::endl;
    builddir::replaceFile(directory_.cancelFile(), "kill");
  } else if (interrupts_ == 3) {
    process_->signal(SIGKILL);  // what it leaves is removed by endForGood
  }
}

void LocalBuild::ended(int status) {
  if (concluded_) return;
  if (interrupts_ >= 3) {
    order_.build.state = model::BuildState::canceled;
    order_.build.reason = "canceled";
    order_.build.sentence = "killed";
  } else {
    std::string words = builddir::readIfPresent(directory_.processLog(), 1u << 20).value_or("");
    if (words.size() > 1000) words.erase(0, words.size() - 1000);
    while (!words.empty() && words.back() == '\n') words.pop_back();
    const bool in_plugin = WIFSIGNALED(status) && (phase_ == "pull" || phase_ == "start" || phase_ == "run");
    order_.build.state = model::BuildState::error;
    order_.build.reason = in_plugin ? "plugin_crashed" : "build_process_lost";
    order_.build.sentence = (in_plugin ? "runtime plugin '" + order_.runtime.name + "' crashed in " + phase_
                                       : "the build's process ended early") +
                            " (" + howEnded(status) + ")" + (words.empty() ? "" : ": " + words);
  }
}

std::string LocalBuild::lastLines(int stage, int lines) const {
  if (!fs::exists(directory_.log())) return "";
  logs::LogReader reader(directory_.disk());
  const auto slice = reader.findStage(std::to_string(stage));
  if (!slice) return "";
  const std::int64_t end = slice->end < 0 ? reader.size() : slice->end;
  const std::int64_t begin = logs::tailOffset(reader, lines, slice->begin, end);
  return reader.read(begin, static_cast<std::size_t>(std::min<std::int64_t>(end - begin, 1 << 20)));
}

}  // namespace ocelot::cli
