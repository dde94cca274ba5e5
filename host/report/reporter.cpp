#include "host/report/reporter.hpp"

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

constexpr milliseconds kLookEvery{1000};
constexpr int kAtOnce = 20;
constexpr int kGiveUpAfter = 20;  // tries; with the growing pause about two days
constexpr std::int64_t kFirstPauseMs = 30000;

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
                             stage.finished_at > stage.started_at ? (stage.finished_at - stage.started_at) / 1000 : 0});
  return notice;
}

std::string previousState(store::Store& store, const model::Build& build) {
  store::BuildFilter filter;
  filter.repo = build.repo;
  filter.branch = build.branch;
  filter.before_number = build.number;
  filter.limit = 10;
  for (const auto& before : store.builds(filter))
    if (model::isFinal(before.state) && before.state != model::BuildState::canceled)
      return std::string(model::toString(before.state));
  return "";
}

}  // namespace

struct Reporter::Instance {
  config::Instance configured;
  plugin::HostServices host;
  std::unique_ptr<Notifier> notifier;
};

Reporter::Reporter(engines::Engines& engines, const config::Config& config, std::string url)
    : engines_(engines), config_(config), url_(std::move(url)) {
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
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_; });
  }
}

void Reporter::turn() {
  for (const auto& item : engines_.store->takeNotices(kAtOnce, kFirstPauseMs))
    if (tell(item) || item.attempts >= kGiveUpAfter) engines_.store->settleNotice(item.id);
}

// true: told, or nothing to tell, or no use in trying again.
bool Reporter::tell(const store::Store::NoticeItem& item) {
  const auto build = engines_.store->findBuild(item.build_id);
  if (!build || instances_.empty()) return true;
  const auto read = pipeline::read(build->pipeline, "ocelot.yml");
  if (!read.pipeline) return true;
  bool all = true;
  const BuildNotice notice = noticeOf(*build, url_, previousState(*engines_.store, *build));
  for (const auto& wanted : read.pipeline->notify) {
    if (!wanted.tells(build->state)) continue;
    const auto found = instances_.find(wanted.identifier.empty() ? wanted.via : wanted.identifier);
    if (found == instances_.end()) {
      log(LogLevel::warning, "ocelot.yml names a notifier that is not configured",
          {{"repo", build->repo}, {"notifier", wanted.via}});
      continue;
    }
    try {
      SimpleCall call(milliseconds(30000));
      notifier(*found->second).tell(call, notice, wanted.target);
    } catch (const Error& error) {
      log(LogLevel::warning, "telling a result failed",
          {{"notifier", wanted.via}, {"build", std::to_string(build->number)}, {"why", error.what()}});
      if (error.status() == Status::unavailable) all = false;
    }
  }
  return all;
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
