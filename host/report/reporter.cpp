#include "host/report/reporter.hpp"

#include <set>
#include <sstream>

#include "host/daemon/log.hpp"
#include "host/pipeline/pipeline.hpp"
#include "host/plugin/catalog.hpp"
#include "host/plugin/folders_of.hpp"
#include "host/plugin/host_services.hpp"
#include "host/plugin/plugin_library.hpp"

namespace ocelot::report {
namespace {

using daemon::log;
using std::chrono::milliseconds;

constexpr int kAtOnce = 20;
constexpr int kLookBack = 10;  // builds of a branch
constexpr milliseconds kTellTimeout{30000};

BuildNotice noticeOf(const model::Build& build, const std::string& url, const std::string& previous) {
  BuildNotice notice;
  notice.id = build.id;
  notice.number = build.number;
  notice.repo = build.repo;
  notice.branch = build.branch;
  notice.commit = build.commit;
  notice.author = build.author;
  notice.message = build.message;
  notice.state = model::toString(build.state);
  notice.reason = build.reason;
  notice.sentence = build.sentence;
  if (!url.empty()) notice.url = url + "/builds/" + std::to_string(build.number);
  notice.queued_at_us = build.queued_at;
  notice.started_at_us = build.started_at;
  notice.finished_at_us = build.finished_at;
  notice.previous_state = previous;
  for (const auto& stage : build.stages)
    notice.stages.push_back({stage.name, std::string(model::toString(stage.state)), stage.exit_code,
                             stage.started_at > 0 && stage.finished_at > stage.started_at
                                 ? (stage.finished_at - stage.started_at) / 1000
                                 : 0});
  return notice;
}

// Of the same branch, newest first.
std::vector<model::Build> before(store::Store& store, const model::Build& build) {
  store::BuildFilter filter;
  filter.repo = build.repo;
  filter.branch = build.branch;
  filter.before_number = build.number;
  filter.limit = kLookBack;
  return store.builds(filter);
}

std::string previousState(store::Store& store, const model::Build& build) {
  for (const auto& earlier : before(store, build))
    if (model::isFinal(earlier.state) && earlier.state != model::BuildState::canceled)
      return std::string(model::toString(earlier.state));
  return "";
}

// Whom its ocelot.yml names. Where that cannot be read, those of the branch's last build whose file could: whoever was
// told so far is told that it broke.
std::vector<pipeline::Notification> audience(store::Store& store, const model::Build& build) {
  if (const auto own = pipeline::read(build.pipeline, "ocelot.yml"); own.pipeline) return own.pipeline->notify;
  for (const auto& earlier : before(store, build)) {
    if (earlier.state == model::BuildState::rejected) continue;
    const auto whole = store.findBuild(earlier.id);
    if (!whole) continue;
    if (const auto read = pipeline::read(whole->pipeline, "ocelot.yml"); read.pipeline) return read.pipeline->notify;
  }
  return {};
}

// Which of the audience were told, as it is kept with a notice: "0,2".
std::set<std::size_t> toldFrom(const std::string& text) {
  std::set<std::size_t> told;
  std::istringstream in(text);
  for (std::string index; std::getline(in, index, ',');) told.insert(std::stoul(index));
  return told;
}

std::string toText(const std::set<std::size_t>& told) {
  std::string text;
  for (const std::size_t index : told) text += (text.empty() ? "" : ",") + std::to_string(index);
  return text;
}

}  // namespace

struct Reporter::Instance {
  config::Instance configured;
  plugin::HostServices host;
  std::unique_ptr<Notifier> notifier;
};

Reporter::Reporter(engines::Engines& engines, const config::Config& config, ReporterSettings settings,
                   daemon::Metrics& metrics)
    : engines_(engines), config_(config), settings_(std::move(settings)), metrics_(metrics) {
  for (auto& configured : config.notifiers()) {
    auto instance = std::make_unique<Instance>();
    instance->configured = configured;
    instances_.emplace(configured.name, std::move(instance));
  }
  thread_ = std::thread([this] { run(); });
}

Reporter::~Reporter() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Reporter::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      turn();
    } catch (const std::exception& error) {
      log(LogLevel::warning, "telling results failed; it is tried again", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, settings_.interval, [this] { return stopping_; });
  }
}

bool Reporter::stopping() {
  std::lock_guard guard(mutex_);
  return stopping_;
}

void Reporter::turn() {
  for (const auto& item : engines_.store->takeNotices(kAtOnce, settings_.first_pause.count())) {
    if (stopping()) return;  // what was taken shows again after its pause
    try {
      const bool done = tell(item);
      if (!done && item.attempts >= settings_.tries)
        log(LogLevel::error, "a result could not be told, and is given up", {{"build", item.build_id}});
      if (done || item.attempts >= settings_.tries) engines_.store->settleNotice(item.id);
    } catch (const store::Unavailable&) {
      throw;
    } catch (const std::exception& error) {
      log(LogLevel::warning, "telling a result failed; it is tried again",
          {{"build", item.build_id}, {"why", error.what()}});
    }
  }
}

// true: everybody is told, or there is nobody to tell, or no use in trying again.
bool Reporter::tell(const store::Store::NoticeItem& item) {
  const auto build = engines_.store->findBuild(item.build_id);
  if (!build) return true;
  if (item.attempts == 1)
    metrics_
        .counter("ocelot_builds_ended_total", "Builds that have ended, by outcome",
                 {{"state", std::string(model::toString(build->state))}})
        .add();
  const auto wanted = audience(*engines_.store, *build);
  const BuildNotice notice = noticeOf(*build, settings_.url, previousState(*engines_.store, *build));
  auto told = toldFrom(item.told);
  bool all = true;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (told.count(i) || !wanted[i].tells(build->state)) continue;
    if (!tellOne(wanted[i], notice)) {
      all = false;
      continue;
    }
    told.insert(i);
    engines_.store->noteNotice(item.id, toText(told));
  }
  return all;
}

// false: it has to be tried again.
bool Reporter::tellOne(const pipeline::Notification& wanted, const BuildNotice& notice) {
  // The first Ocelot's identifier may be the name of an instance of its own.
  const std::string& name = instances_.count(wanted.identifier) ? wanted.identifier : wanted.via;
  const auto outcome = [&](const char* what) {
    metrics_.counter("ocelot_notices_total", "Results given to notifiers", {{"outcome", what}}).add();
  };
  const auto found = instances_.find(name);
  if (found == instances_.end()) {
    outcome("unknown");
    log(LogLevel::warning, "ocelot.yml names a notifier that is not configured",
        {{"repo", notice.repo}, {"notifier", name}});
    return true;
  }
  try {
    SimpleCall call(kTellTimeout);
    notifier(*found->second).tell(call, notice, wanted.target);
    outcome("told");
    return true;
  } catch (const Error& error) {
    const bool again = error.status() == Status::unavailable || error.status() == Status::cancelled;
    outcome(again ? "again" : "refused");
    log(LogLevel::warning, again ? "telling a result failed; it is tried again" : "telling a result failed",
        {{"notifier", name}, {"build", std::to_string(notice.number)}, {"why", error.what()}});
    return !again;
  }
}

Notifier& Reporter::notifier(Instance& instance) {
  if (!instance.notifier) {
    plugin::Catalog catalog(plugin::foldersOf(config_));
    const auto library = catalog.library(plugin::Kind::notifier, instance.configured.plugin);
    try {
      instance.notifier = plugin::makeNotifier(
          library, plugin::Catalog::settingsFor(library.description(), instance.configured, instance.host,
                                                engines::resolverOf(*engines_.secrets)));
    } catch (const config::Invalid& invalid) {
      throw Error(Status::invalid, invalid.what());
    }
  }
  return *instance.notifier;
}

}  // namespace ocelot::report
