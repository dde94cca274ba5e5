#include "components/worker/build/build_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include "components/worker/build/journal_reader.hpp"
#include "components/worker/build/source.hpp"
#include "host/pipeline/image_reference.hpp"
#include "host/pipeline/plan_for.hpp"
#include "host/trigger/change_json.hpp"

namespace ocelot::worker {
namespace {

using Clock = Call::Clock;
using std::chrono::milliseconds;

constexpr milliseconds kBeyondGrace{15000};  // after which the build process no longer waits for the guest
constexpr milliseconds kSaveEvery{1000};     // the cursor: how much is made again after a kill
constexpr std::uint64_t kSaveBytes = 8u << 20;
constexpr int kPullAttempts = 3;
constexpr int kLookForSignMs = 100;
// A TERM that found another one pending is lost; the guest that heard one says so at once.
constexpr milliseconds kTermAgain{2000};

// Below it a build is ended: what is left is for its last words, and for the store that has to hear of its end.
constexpr std::int64_t kMinFreeDisk = 16 << 20;

class DiskFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The worker does not give what the file asks for.
class NotGranted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void checkDisk(const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return;
  const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  if (free < kMinFreeDisk)
    throw DiskFull("the worker's disk is full: " + folder + " has " + std::to_string(free >> 20) +
                   " MiB left; the build was ended before nothing could be written any more");
}

// A second name for a file of ours in the folder that the container sees. The guest opens it and takes the name away
// before the first stage starts.
void lend(const std::string& file, const std::string& name) {
  ::unlink(name.c_str());
  if (::link(file.c_str(), name.c_str()) != 0)
    throw std::system_error(errno, std::generic_category(), "link " + file + " to " + name);
}

}  // namespace

BuildProcess::BuildProcess(builddir::Directory directory, builddir::Order order, builddir::Envelope envelope,
                           Runtime& runtime)
    : directory_(std::move(directory)),
      order_(std::move(order)),
      envelope_(std::move(envelope)),
      runtime_(runtime),
      sandbox_(runtime, order_, directory_) {}

BuildProcess::~BuildProcess() = default;

model::Outcome BuildProcess::run() {
  const auto lock = builddir::Lock::tryTake(directory_.lockFile());
  if (!lock) throw std::runtime_error("another process works on " + directory_.disk());

  std::string phase;
  std::optional<model::Outcome> concluded;
  builddir::EventReader(directory_.events()).poll([&](const builddir::Event& event) {
    if (event.kind == builddir::Event::Kind::phase) phase = event.text;
    if (event.kind == builddir::Event::Kind::result) concluded = event.outcome;
  });
  const bool begun = phase == "start" || phase == "run";
  readPipeline(keepMask(begun));
  cancel_watch_ = std::make_unique<CancelWatch>(directory_, call_);

  Verdict verdict;
  if (!concluded) {
    try {
      if (begun && ::access(directory_.mask().c_str(), F_OK) != 0)
        throw std::runtime_error("what to mask in the log was lost with " + directory_.mask());
      openSecrets();
      SimpleCall look(milliseconds(30000));
      // Once it ran it is never started again: what it did would be done twice.
      const bool adopt = phase == "run" || (phase == "start" && sandbox_.exists(look));
      if (!adopt) {
        takeGrant();
        start(pull());
      }
      verdict = follow();
    } catch (const journal::Tampered& tampered) {
      SimpleCall kill(milliseconds(30000));
      sandbox_.signal(kill, SIGKILL);
      verdict = {{model::BuildState::error, "tampered", tampered.what()}, false};
    } catch (const Error& error) {
      if (call_.cancelled()) {
        verdict = {{model::BuildState::canceled, "canceled", "canceled"}, false};
      } else {
        const bool away = error.status() == Status::unavailable;
        const char* reason = error.status() == Status::not_found         ? "not_found"
                             : error.status() == Status::unauthenticated ? "unauthenticated"
                             : away                                      ? "unavailable"
                                                                         : "environment";
        // What this worker wants its runtime for can wait for it. A registry or a repository that does not answer,
        // after several tries, is the build's end: nobody knows whether it ever will, or whether it was only misspelt.
        verdict = {{model::BuildState::error, reason, error.what()}, away && !runtimeAnswers()};
      }
    } catch (const secrets::Unavailable& away) {
      verdict = {{model::BuildState::error, "secrets_away", away.what()}, true};
    } catch (const NotGranted& refusal) {
      verdict = {{model::BuildState::error, "not_granted", refusal.what()}, false};
    } catch (const DiskFull& full) {
      verdict = {{model::BuildState::error, "disk_full", full.what()}, false};
    } catch (const std::exception& error) {
      verdict = {{model::BuildState::error, "environment", error.what()}, false};
    }
    try {
      if (!verdict.outcome.sentence.empty()) recorder_->note(verdict.outcome.sentence);
    } catch (const std::exception& error) {
      std::cerr << "note: " << error.what() << std::endl;  // the sentence is in the result too
    }
    recorder_->conclude(verdict.outcome, verdict.retry);
    concluded = verdict.outcome;
  }
  remove();
  return *concluded;
}

// The build has the values that it was served, whatever they are by now, and what it was given must be masked.
MaskFile BuildProcess::keepMask(bool begun) {
  if (begun) return MaskFile::readIfPresent(directory_.mask()).value_or(MaskFile::none());
  std::vector<std::string> given;
  for (const auto& [name, value] : envelope_.secrets) given.push_back(value);
  for (const std::string* password : {&envelope_.clone.password, &envelope_.registry.password})
    if (!password->empty()) given.push_back(*password);
  return MaskFile::begin(directory_.mask(), std::move(given));
}

void BuildProcess::readPipeline(MaskFile mask) {
  auto result = pipeline::read(order_.build.pipeline, "ocelot.yml");
  Recorder::Settings settings;
  settings.build_id = order_.build.id;
  settings.attempt = order_.build.attempt;
  settings.log_limit = static_cast<std::int64_t>(order_.limits.log_bytes);
  if (result.pipeline) {
    pipeline_ = std::move(*result.pipeline);
    for (std::size_t i = 0; i < pipeline_.stages.size(); ++i) {
      model::Stage stage;
      stage.index = static_cast<int>(i);
      stage.name = pipeline_.stages[i].name;
      stage.line = pipeline_.stages[i].line;
      settings.stages.push_back(stage);
      allowed_.emplace_back(pipeline_.secrets.begin(), pipeline_.secrets.end());
      allowed_.back().insert(pipeline_.stages[i].secrets.begin(), pipeline_.stages[i].secrets.end());
    }
  }
  recorder_.emplace(directory_, std::move(settings), std::move(mask));
  if (!result.pipeline)
    throw std::runtime_error("the build's ocelot.yml cannot be read: " + pipeline::describeErrors(result));
  pipeline::Ceiling ceiling;
  ceiling.resources.memory_bytes = order_.limits.memory_bytes;
  ceiling.resources.cpu_millis = order_.limits.cpu_millis;
  ceiling.resources.pids = order_.limits.pids;
  ceiling.timeout_ms = order_.limits.timeout_ms;
  ceiling.max_timeout_ms = order_.limits.max_timeout_ms;
  ceiling.network = order_.network;
  grant_ = pipeline::grant(pipeline_, ceiling);
}

bool BuildProcess::runtimeAnswers() {
  try {
    SimpleCall look(milliseconds(30000));
    return runtime_.probe(look).usable;
  } catch (const Error&) {
    return false;
  }
}

void BuildProcess::openSecrets() {
  if (std::all_of(allowed_.begin(), allowed_.end(), [](const auto& names) { return names.empty(); })) return;
  secrets_ = sourceOf(envelope_, directory_, order_.build.id, grant_.timeout_ms,
                      [this](const std::string& sentence) { recorder_->note(sentence); });
}

// Before anything is made. A build that has begun keeps what it was given.
void BuildProcess::takeGrant() {
  if (!grant_.refusal.empty()) throw NotGranted(grant_.refusal);
  if (!grant_.note.empty()) recorder_->note(grant_.note);
  if (grant_.resources.disk_bytes == 0) return;
  const Pairs features = runtime_.probe(call_).features;
  if (std::find(features.begin(), features.end(), Pairs::value_type{"limits.disk", "yes"}) == features.end())
    recorder_->note("ocelot.yml asks for resources.disk, and the runtime " + order_.runtime.name +
                    " has no such limit: what is written is not bounded");
}

Image BuildProcess::pull() {
  recorder_->phase("pull");
  recorder_->save(0);
  ImageRequest request;
  request.reference = pipeline_.image;
  request.refresh = order_.refresh_image;
  request.username = envelope_.registry.username;
  request.password = envelope_.registry.password;
  auto last = Clock::now() - milliseconds(10000);
  std::string last_text;
  const auto progress = [&](const PullProgress& step) {
    // A line for each new step, and one every two seconds of a long one.
    if (step.text == last_text && Clock::now() - last < milliseconds(2000)) return;
    last = Clock::now();
    last_text = step.text;
    recorder_->note(step.total_bytes == 0
                        ? step.text
                        : step.text + ": " + spokenBytes(step.done_bytes) + " of " + spokenBytes(step.total_bytes));
  };
  for (int attempt = 1;; ++attempt) {
    try {
      Image image = runtime_.pull(call_, request, progress);
      recorder_->image(image.digest);
      return image;
    } catch (const Error& error) {
      if (error.status() == Status::unauthenticated)
        throw Error(error.status(), std::string(error.what()) + "; " + (request.username.empty() ? "set" : "correct") +
                                        " it, on the machine of the store: ocelot secret set --registry " +
                                        pipeline::registryOf(request.reference));
      if (error.status() != Status::unavailable || attempt == kPullAttempts) throw;
      recorder_->note(std::string(error.what()) + "; trying again");
      pollfd cancel{call_.cancelFd(), POLLIN, 0};
      ::poll(&cancel, 1, 1000 * attempt * attempt);
      call_.check("waiting to fetch " + request.reference);
    }
  }
}

void BuildProcess::start(const Image& image) {
  recorder_->phase("checkout");
  SourcePlace place{directory_.workspace(), order_.mirrors, order_.local_repos};
  checkOutSource(call_, order_, pipeline_.clone, envelope_.clone, place,
                 [this](const std::string& sentence) { recorder_->note(sentence); });
  writeControl(image);
  recorder_->phase("start");
  recorder_->save(0);  // from here on a container may exist
  SimpleCall clean_slate(milliseconds(30000));
  sandbox_.remove(clean_slate);  // what a killed predecessor may have half made
  awaitSignOfLife();
  sandbox_.start(call_, image, grant_.resources, grant_.network);
  recorder_->phase("run");
}

// The guest reckons from its own start. Begun long after the last sign, it would outlive the lease by as much.
void BuildProcess::awaitSignOfLife() {
  const std::int64_t fresh = order_.alive_timeout_ms / 3;
  while (order_.alive_timeout_ms > 0 && builddir::bootMillis() - builddir::signOfLife(directory_.alive()) > fresh) {
    pollfd cancel{call_.cancelFd(), POLLIN, 0};
    ::poll(&cancel, 1, kLookForSignMs);
    call_.check("waiting for a sign of life of the worker");
  }
}

void BuildProcess::writeControl(const Image& image) {
  pipeline::PlanSettings settings;
  settings.grace_ms = order_.limits.grace_ms;
  settings.previous_passed_commit = order_.previous_passed_commit;
  journal::Plan plan =
      pipeline::planFor(pipeline_, order_.build, trigger::changeFromJson(order_.build.change_json), image, settings);
  plan.timeout_ms = grant_.timeout_ms;
  plan.alive_timeout_ms = order_.alive_timeout_ms;
  builddir::replaceFile(directory_.journal(), "");
  builddir::replaceFile(directory_.control() + "/plan", journal::encode(plan));
  if (::access(directory_.alive().c_str(), F_OK) != 0) builddir::overwriteNumber(directory_.alive(), 0);
  builddir::overwriteNumber(directory_.readCount(), 0);
  lend(directory_.journal(), directory_.control() + "/journal");
  lend(directory_.alive(), directory_.control() + "/alive");
  lend(directory_.readCount(), directory_.control() + "/read");
}

Verdict BuildProcess::follow() {
  if (secrets_) broker_ = std::make_unique<Broker>(directory_.control(), *secrets_, allowed_, recorder_->served());
  sandbox_.watch();
  JournalReader journal(directory_.journal(), recorder_->journalOffset());
  journal_changes_.emplace(directory_.journal(), IN_MODIFY);
  Changes& changes = *journal_changes_;

  Evidence evidence;
  evidence.timeout_ms = grant_.timeout_ms;
  if (pipeline_.timeout_ms > grant_.timeout_ms) evidence.asked_timeout_ms = pipeline_.timeout_ms;
  evidence.memory_bytes = grant_.resources.memory_bytes;
  const auto began = Clock::now();
  const auto patience = milliseconds(order_.limits.grace_ms) + kBeyondGrace;
  auto deadline = grant_.timeout_ms > 0 ? began + milliseconds(grant_.timeout_ms) + patience : Clock::time_point::max();
  auto saved_at = began;
  auto term_again = Clock::time_point::max();
  bool killed = false;
  std::uint64_t saved = journal.offset();
  while (!recorder_->finished()) {
    checkDisk(directory_.disk());
    checkDisk(directory_.run());
    const bool ended = sandbox_.ended();  // asked first: what was written before the end is then read
    const std::uint64_t before = journal.offset();
    changes.clear();
    hearBroker();
    const bool more = journal.read([&](const journal::Frame& frame) { recorder_->apply(frame, journal.offset()); });
    if (journal.offset() != before) builddir::overwriteNumber(directory_.readCount(), journal.offset());
    if (journal.offset() > saved && (Clock::now() - saved_at > kSaveEvery || journal.offset() > saved + kSaveBytes)) {
      recorder_->save(journal.offset());
      saved = journal.offset();
      saved_at = Clock::now();
      journal.punch(saved);
    }
    if (more) continue;
    if (ended) break;
    if (recorder_->finished()) break;
    if (cancel_watch_->killed() && !killed) {
      // The build is another worker's by now, and what still runs must not run beside it; or somebody lost patience.
      killed = evidence.asked_cancel = true;
      SimpleCall signal(milliseconds(30000));
      sandbox_.signal(signal, SIGKILL);
      deadline = Clock::now() + patience;
      term_again = Clock::time_point::max();
    } else if (call_.cancelled() && !evidence.asked_cancel) {
      evidence.asked_cancel = true;
      SimpleCall signal(milliseconds(30000));
      sandbox_.signal(signal, SIGTERM);
      deadline = Clock::now() + patience;
      term_again = Clock::now() + kTermAgain;
    } else if (Clock::now() >= term_again && !recorder_->cancelHeard()) {
      SimpleCall signal(milliseconds(30000));
      sandbox_.signal(signal, SIGTERM);
      term_again = Clock::now() + kTermAgain;
    }
    if (Clock::now() >= deadline && !evidence.overdue) {
      evidence.overdue = true;
      SimpleCall signal(milliseconds(30000));
      sandbox_.signal(signal, SIGKILL);
    }
    const int asked = killed ? -1 : evidence.asked_cancel ? cancel_watch_->killFd() : call_.cancelFd();
    const int broker = broker_ ? broker_->fd() : -1;
    std::array<pollfd, 4> fds{
        {{changes.fd(), POLLIN, 0}, {sandbox_.endFd(), POLLIN, 0}, {asked, POLLIN, 0}, {broker, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(kSaveEvery.count()));
  }
  evidence.finished = recorder_->finished();
  awaitEnd(evidence);
  recorder_->save(journal.offset());
  return judge(evidence, recorder_->stages());
}

// What the broker fetched is masked from here on before the guest has it.
void BuildProcess::hearBroker() {
  if (!broker_ || !recorder_->caughtUp()) return;
  for (const auto& word : broker_->take()) {
    if (word.secret.empty()) {
      recorder_->remark(word.text);
    } else {
      recorder_->learn(word.secret, word.text);
      broker_->learnt(word.secret);
    }
  }
}

void BuildProcess::awaitEnd(Evidence& evidence) {
  pollfd end{sandbox_.endFd(), POLLIN, 0};
  if (!sandbox_.ended()) ::poll(&end, 1, 5000);
  if (!sandbox_.ended()) {
    SimpleCall signal(milliseconds(30000));
    sandbox_.signal(signal, SIGKILL);
    return;
  }
  evidence.exit = sandbox_.exit();
}

void BuildProcess::remove() {
  recorder_->phase("remove");
  broker_.reset();
  secrets_.reset();
  if (!envelope_.access.url.empty()) endPass(vaultOf(envelope_.access), directory_);
  SimpleCall call(milliseconds(60000));
  try {
    sandbox_.remove(call);
    removeWorkspace(directory_.workspace());
    builddir::Event event;
    event.kind = builddir::Event::Kind::removed;
    recorder_->events().write(event);
  } catch (const Error& error) {
    // The worker sweeps what is left: the owner label finds it.
    std::cerr << "remove " << sandbox_.name() << ": " << error.what() << std::endl;
  }
}

}  // namespace ocelot::worker
