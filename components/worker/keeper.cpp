#include "components/worker/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "host/daemon/log.hpp"
#include "host/secrets/secrets.hpp"

namespace ocelot::worker {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kShipEvery{1000};
constexpr std::int64_t kShipBytes = 1 << 20;   // in one transaction; a busy log is not behind by more
constexpr std::int64_t kTailBytes = 64 << 10;  // at most, of a log in the transaction that ends its build
constexpr int kCrashesInPlugin = 1;            // a plugin that crashed in start will again
constexpr int kCrashesElsewhere = 3;
constexpr milliseconds kStoreAwayPause{1000};
constexpr std::size_t kLastWordBytes = 1000;
constexpr std::string_view kLastWord = "build: ";  // as runBuild() says it

int openProcess(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

Keeper::Keeper(KeeperContext& context, std::shared_ptr<Nursery> nursery, store::ClaimedBuild build, bool found,
               std::unique_ptr<Keeper> earlier)
    : context_(context),
      nursery_(std::move(nursery)),
      build_(std::move(build)),
      found_(found),
      earlier_(std::move(earlier)),
      directory_(context.settings.builds() + "/" + build_.build.id,
                 context.settings.runBuilds() + "/" + build_.build.id),
      events_(directory_.events()),
      shipped_(build_.build.log_bytes),
      thread_([this] { keep(); }) {}

Keeper::~Keeper() {
  leaving_ = true;
  stop_.set();
  thread_.join();
}

void Keeper::renewed() {
  if (concluded_ || !prepared_) return;  // before that, the file may be an earlier attempt's
  try {
    builddir::showSignOfLife(directory_.alive(), builddir::bootMillis());
  } catch (const std::exception&) {
    // The directory is not there yet, or gone: nobody counts on it.
  }
}

void Keeper::cancel() { ask("cancel"); }

// The build process watches for the file.
void Keeper::ask(const std::string& what) {
  std::lock_guard guard(mutex_);
  if (cleared_) return;  // a file that came into a folder on its way out would keep it
  try {
    builddir::replaceFile(directory_.cancelFile(), what);
  } catch (const std::exception& error) {
    daemon::log(LogLevel::warning, error.what(), {{"build", build_.build.id}});
  }
}

void Keeper::drop() {
  dropped_ = true;
  concluded_ = true;
  ask("kill");
  stop_.set();
}

void Keeper::giveBack(const std::string& why) {
  {
    std::lock_guard guard(mutex_);
    if (!give_back_) give_back_ = why;
  }
  cancel();
}

// Two attempts of a build share a directory, and may not share a moment.
void Keeper::awaitEarlier() {
  if (earlier_) earlier_->drop();
  while (earlier_ && !leaving_) {
    if (earlier_->done()) {
      earlier_.reset();
    } else {
      waitFor(-1, 100);
    }
  }
  while (!found_ && directory_.busy() && !leaving_) {
    if (std::filesystem::exists(directory_.run())) ask("kill");
    waitFor(-1, 100);
  }
}

void Keeper::prepare() {
  if (found_ && std::filesystem::exists(directory_.spec())) return;
  context_.remove(directory_);
  directory_.create();
  builddir::Order order;
  order.build = build_.build;
  order.build.attempt = build_.claim.attempt;
  context_.accessTo(build_.build, order.source.url);
  order.runtime = nursery_->runtime();
  order.limits = context_.settings.limits;
  order.network = context_.settings.network;
  order.owner = context_.settings.owner();
  order.guest = context_.settings.guest;
  order.mirrors = context_.settings.data_dir + "/mirrors";
  order.local_repos = context_.settings.local_repos;
  order.previous_passed_commit = context_.store.previousPassed(build_.claim);
  order.alive_timeout_ms = context_.settings.aliveTimeout().count();
  order.version = OCELOT_VERSION;
  builddir::showSignOfLife(directory_.alive(), claimed_at_);
  builddir::replaceFile(directory_.spec(), builddir::encode(order));
}

void Keeper::keep() {
  try {
    awaitEarlier();
    if (leaving_) return;
    if (dropped_) {
      done_ = true;
      return context_.freed();
    }
    if (prepareWhenStoreIsThere()) {
      prepared_ = true;
      changed_ = context_.watch.subscribe(directory_.disk());
    }
    while (prepared_ && !removed_ && !leaving_) {
      if (dropped_ && result_) break;
      if (!runOnce()) break;
    }
  } catch (const std::exception& error) {
    daemon::log(LogLevel::error, error.what(), {{"build", build_.build.id}});
    if (!result_ && !leaving_) {
      result_.emplace();
      result_->outcome = {model::BuildState::error, "environment", error.what()};
      conclude();
    }
  }
  if (leaving_ && !removed_) {
    // The build goes on without us; the worker that comes after finds it.
    done_ = concluded_.load();
    return;
  }
  clearUp();
  done_ = true;
  context_.freed();
}

// A store that is away costs no build that waits for it: its lease is kept or lost like any other. False: it was lost,
// or we leave.
bool Keeper::prepareWhenStoreIsThere() {
  while (!dropped_ && !leaving_) {
    try {
      prepare();
      return true;
    } catch (const store::Unavailable& away) {
      waitForStore(away.what());
    }
  }
  return false;
}

void Keeper::waitForStore(const std::string& why) {
  daemon::log(LogLevel::warning, "the store is away; the build waits", {{"build", build_.build.id}, {"why", why}});
  waitFor(-1, static_cast<int>(kStoreAwayPause.count()));
}

// One life of a build process: until it has ended, or we leave.
bool Keeper::runOnce() {
  int pidfd = -1;
  pid_t pid = -1;
  const bool theirs = found_ && crashes_ == 0 && directory_.busy();
  if (!theirs) {
    builddir::Envelope envelope;
    envelope.directory = directory_.disk();
    envelope.run_directory = directory_.run();
    std::string url;
    try {
      envelope.access = secretsAccess();
      envelope.clone = context_.accessTo(build_.build, url);
      envelope.registry = context_.registryAccess(build_.build);
    } catch (const secrets::Unavailable& away) {
      if (!goesOnWithoutSecrets(away.what())) return false;
    } catch (const store::Unavailable& away) {
      if (!underWay()) {
        waitForStore(away.what());
        return !dropped_;
      }
    }
    pid = nursery_->build(envelope);
    pidfd = openProcess(pid);
  }
  bool ended = false;
  while (!ended && !leaving_) {
    // A process of an earlier worker is not our child's child: its lock tells when it has ended.
    waitFor(pidfd, theirs || pidfd < 0 ? 250 : static_cast<int>(kShipEvery.count()));
    pollfd now{pidfd, POLLIN, 0};
    ended = pidfd >= 0 ? ::poll(&now, 1, 0) > 0 : !directory_.busy();
    events_.poll([this](const builddir::Event& event) { take(event); });
    if (result_ && !concluded_) conclude();
    ship(false);
    if (removed_) break;
  }
  if (pidfd >= 0) ::close(pidfd);
  if (ended && !removed_ && !leaving_) crashed(pid > 0 ? nursery_->statusOf(pid) : std::nullopt);
  return true;
}

// Asked for once, so that the next process of a build needs neither store nor admin; a pass that was taken out of its
// wrapping lies in the directory, and one that was not is lost with its process.
builddir::SecretsAccess Keeper::secretsAccess() {
  const bool has_pass = std::filesystem::exists(directory_.pass());
  if (!access_ || (!access_->pass.empty() && !has_pass)) access_ = context_.secretsFor(build_, underWay(), has_pass);
  builddir::SecretsAccess access = *access_;
  if (has_pass) access.pass.clear();
  return access;
}

// What a running build was given lies beside it.
bool Keeper::underWay() {
  events_.poll([this](const builddir::Event& event) { take(event); });
  return result_ || phase_ == "run";
}

// A build that does not run yet waits in the queue: none runs without its secrets.
bool Keeper::goesOnWithoutSecrets(const std::string& why) {
  if (underWay()) return true;
  result_.emplace();
  result_->outcome = {model::BuildState::error, "secrets_away", why};
  conclude();
  return false;
}

void Keeper::waitFor(int pidfd, int timeout_ms) {
  std::array<pollfd, 3> fds{{{changed_ ? changed_->fd() : -1, POLLIN, 0}, {pidfd, POLLIN, 0}, {stop_.fd(), POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), timeout_ms);
  if (fds[0].revents) changed_->clear();
  if (fds[2].revents) stop_.take();
}

void Keeper::take(const builddir::Event& event) {
  switch (event.kind) {
    case builddir::Event::Kind::phase:
      phase_ = event.text;
      break;
    case builddir::Event::Kind::stage: {
      const auto index = static_cast<std::size_t>(std::clamp(event.stage.index, 0, 999));
      for (std::size_t missing = stages_.size(); missing <= index; ++missing) {
        stages_.emplace_back();
        stages_.back().index = static_cast<int>(missing);
      }
      stages_[index] = event.stage;
      stages_changed_ = true;
      break;
    }
    case builddir::Event::Kind::result:
      result_ = event;
      break;
    case builddir::Event::Kind::removed:
      removed_ = true;
      break;
    case builddir::Event::Kind::image:
      break;
  }
}

// Stages and log bytes to the store. What the store cannot take now stays in the directory, which is its spool.
void Keeper::ship(bool all) {
  if (concluded_) return;
  try {
    if (stages_changed_) {
      stages_changed_ = false;
      if (!context_.store.updateStages(build_.claim, stages_)) return drop();
    }
    const int fd = ::open(directory_.log().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    const auto size = static_cast<std::int64_t>(::lseek(fd, 0, SEEK_END));
    const bool due = all || size - shipped_ >= kShipBytes || Clock::now() - shipped_at_ >= kShipEvery;
    std::string chunk;
    while (due && shipped_ < size && !concluded_) {
      chunk.resize(static_cast<std::size_t>(std::min(size - shipped_, kShipBytes)));
      const ssize_t got = ::pread(fd, chunk.data(), chunk.size(), shipped_);
      if (got <= 0) break;
      const auto stored = context_.store.appendLog(build_.claim, shipped_,
                                                   std::string_view(chunk.data(), static_cast<std::size_t>(got)));
      if (!stored) {
        drop();
        break;
      }
      shipped_ = *stored;
      shipped_at_ = Clock::now();
    }
    ::close(fd);
  } catch (const store::Unavailable& away) {
    stages_changed_ = true;
    daemon::log(LogLevel::warning, "the store is away; the log waits on disk",
                {{"build", build_.build.id}, {"why", away.what()}});
  }
}

void Keeper::conclude() {
  std::optional<std::string> give_back;
  {
    std::lock_guard guard(mutex_);
    give_back = give_back_;
  }
  const bool engine_away = result_->retry && result_->outcome.reason == "unavailable";
  if (engine_away) {
    context_.engineAway(result_->outcome.sentence);
    give_back = result_->outcome.sentence;
  }
  const bool secrets_away = result_->outcome.reason == "secrets_away";
  if (secrets_away) context_.secretsAway(result_->outcome.sentence);
  const bool lost = result_->outcome.reason == "worker_lost" || secrets_away;
  if (lost) give_back = result_->outcome.sentence;
  while (!concluded_ && !leaving_) {
    try {
      if (give_back && (result_->outcome.state == model::BuildState::canceled || engine_away || lost)) {
        context_.store.release(build_.claim, *give_back);
      } else if (!finish(result_->outcome)) {
        daemon::log(LogLevel::warning, "the outcome came too late: the build is not this worker's any more",
                    {{"build", build_.build.id}});
      }
      concluded_ = true;
    } catch (const store::Conflict& behind) {
      // The store has less of the log than was thought, or more: appending shows how much.
      daemon::log(LogLevel::warning, "the outcome waits for the log",
                  {{"build", build_.build.id}, {"why", behind.what()}});
      ship(true);
      waitFor(-1, static_cast<int>(kStoreAwayPause.count()));
    } catch (const store::Unavailable& away) {
      daemon::log(LogLevel::warning, "the store is away; the outcome waits",
                  {{"build", build_.build.id}, {"why", away.what()}});
      waitFor(-1, static_cast<int>(kStoreAwayPause.count()));
    }
  }
}

bool Keeper::finish(const model::Outcome& outcome) {
  store::Finish finish;
  finish.claim = build_.claim;
  finish.outcome = outcome;
  finish.stages = stages_;
  finish.log_bytes = result_->log_bytes;
  finish.log_sha256 = result_->log_sha256;
  // All but the last chunk goes before, so that the ending transaction stays short.
  if (result_->log_bytes - shipped_ > kTailBytes) ship(true);
  if (dropped_) return false;
  if (result_->log_bytes - shipped_ > kTailBytes) throw store::Unavailable("it did not take the rest of the log");
  finish.tail_offset = shipped_;
  const int fd = ::open(directory_.log().c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    finish.tail.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, result_->log_bytes - shipped_)));
    const ssize_t got = ::pread(fd, finish.tail.data(), finish.tail.size(), shipped_);
    finish.tail.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    ::close(fd);
  }
  return context_.store.finish(finish);
}

void Keeper::crashed(std::optional<int> status) {
  ++crashes_;
  if (result_) {
    // It told its result and died in clearing up: one more try, then the sweep finds what is left.
    if (crashes_ >= kCrashesElsewhere) removed_ = true;
    return;
  }
  const bool by_itself = status && WIFSIGNALED(*status) && WTERMSIG(*status) != SIGKILL && WTERMSIG(*status) != SIGTERM;
  const bool in_plugin = by_itself && (phase_ == "pull" || phase_ == "start" || phase_ == "run");
  const std::string how = !status                ? "ended"
                          : WIFSIGNALED(*status) ? std::string("SIG") + ::sigabbrev_np(WTERMSIG(*status))
                                                 : "exit status " + std::to_string(WEXITSTATUS(*status));
  daemon::log(LogLevel::warning, "a build process ended early",
              {{"build", build_.build.id}, {"phase", phase_}, {"how", how}});
  if (crashes_ < (in_plugin ? kCrashesInPlugin : kCrashesElsewhere)) return;
  result_.emplace();
  result_->outcome = {model::BuildState::error, in_plugin ? "plugin_crashed" : "build_process_lost",
                      in_plugin
                          ? "runtime plugin '" + nursery_->runtime().name + "' crashed in " + phase_ + " (" + how + ")"
                          : "the build's process ended " + std::to_string(crashes_) + " times in phase " + phase_ +
                                " (" + how + ")" + lastWords()};
  std::error_code none;
  const auto size = std::filesystem::file_size(directory_.log(), none);
  result_->log_bytes = none ? 0 : static_cast<std::int64_t>(size);
  endStages(stages_, result_->outcome, result_->log_bytes);
  conclude();
  removed_ = true;  // what the plugin left is found by the sweep
}

// Why the process gave up, if it said so itself; what a plugin wrote there is not for everybody's eyes.
std::string Keeper::lastWords() const {
  std::ifstream file(directory_.processLog(), std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - kTailBytes));
  std::string last;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(kLastWord)) last = line.substr(kLastWord.size(), kLastWordBytes);
  return last.empty() ? "" : ": " + last;
}

void endStages(std::vector<model::Stage>& stages, const model::Outcome& outcome, std::int64_t log_bytes) {
  for (model::Stage& stage : stages) {
    if (stage.state == model::StageState::running) {
      stage.state = model::StageState::failed;
      stage.sentence = outcome.sentence;
      stage.log_end = log_bytes;
    } else if (stage.state == model::StageState::pending) {
      stage.state = model::StageState::skipped;
    }
  }
}

void Keeper::clearUp() {
  {
    std::lock_guard guard(mutex_);
    cleared_ = true;
  }
  context_.remove(directory_);
}

}  // namespace ocelot::worker
