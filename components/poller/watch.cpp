#include "components/poller/watch.hpp"

#include <algorithm>

#include "host/daemon/log.hpp"
#include "host/store/lead.hpp"
#include "host/trigger/clean_text.hpp"

namespace ocelot::poller {
namespace {

using daemon::log;
using std::chrono::milliseconds;

constexpr milliseconds kLookTimeout{300000};
constexpr std::size_t kMaxTroubleBytes = 4096;

}  // namespace

Watch::Watch(engines::Engines& engines, providers::Providers& providers, WatchSettings settings,
             daemon::Metrics& metrics)
    : engines_(engines),
      providers_(providers),
      settings_(settings),
      me_(model::newUuid()),
      looks_(metrics.counter("ocelot_poller_looks_total", "Looks at repositories")),
      failures_(metrics.counter("ocelot_poller_failures_total", "Looks that failed")),
      accepted_(metrics.counter("ocelot_poller_builds_total", "Builds that polling has queued")),
      store_errors_(metrics.counter("ocelot_store_errors_total", "Times that an engine was away when it was needed")) {
  threads_.emplace_back([this] { run(); });
  for (int i = 0; i < std::clamp(settings_.threads, 1, 64); ++i) threads_.emplace_back([this] { work(); });
}

Watch::~Watch() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
}

void Watch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      collect();
    } catch (const std::exception& error) {
      store_errors_.add();
      log(LogLevel::warning, "the repositories cannot be listed; it is tried again", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, settings_.turn, [this] { return stopping_; });
  }
}

bool Watch::due(const model::Repo& repo, store::Micros now) const {
  const auto every = std::max<std::int64_t>(repo.poll_seconds * 1000, settings_.min_interval.count());
  return repo.poll_seconds != 0 && now - repo.polled_at >= every * 1000;
}

void Watch::collect() {
  const store::Micros now = engines_.store->now();
  std::set<std::string> ids;
  for (const auto& repo : engines_.store->repos()) {
    ids.insert(repo.id);
    if (!due(repo, now)) continue;
    std::lock_guard guard(mutex_);
    const auto past = past_.find(repo.id);
    if (taken_.count(repo.id) || (past != past_.end() && Failures::Clock::now() < past->second.away.again)) continue;
    taken_.insert(repo.id);
    waiting_.push_back(repo.id);
    changed_.notify_all();
  }
  std::lock_guard guard(mutex_);
  std::erase_if(past_, [&](const auto& one) { return !ids.count(one.first) && !taken_.count(one.first); });
}

void Watch::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::string id = std::move(waiting_.front());
    waiting_.pop_front();
    Past& past = past_[id];
    lock.unlock();
    try {
      look(id, past);
    } catch (const std::exception& error) {
      store_errors_.add();
      log(LogLevel::warning, "polling failed; it is tried again", {{"why", error.what()}});
    }
    lock.lock();
    taken_.erase(id);
  }
}

void Watch::look(const std::string& repo_id, Past& past) {
  const auto lead = store::Lead::tryTake(*engines_.store, "poll " + repo_id, me_);
  if (!lead) return;
  // Read again under the lock: another poller may just have been here.
  const auto repo = engines_.store->findRepoById(repo_id);
  if (repo && due(*repo, engines_.store->now())) {
    looks_.add();
    try {
      SimpleCall call(kLookTimeout);
      const Lend lend = [&](const std::function<void(Vcs&)>& use) { providers_.with(repo->vcs, use); };
      accepted_.add(static_cast<std::uint64_t>(pollOnce(call, engines_, lend, *repo, past.unbuilt)));
      past.away = {};
    } catch (const Error& error) {
      failures_.add();
      past.away.add();
      log(LogLevel::warning, "a repository did not answer", {{"repo", repo->name}, {"why", error.what()}});
      engines_.store->updateRepoPoll(repo->id, repo->heads_json);  // not again before its time
      engines_.store->setRepoTrouble(repo->id, trigger::cleanText(error.what(), kMaxTroubleBytes));
    }
  }
}

}  // namespace ocelot::poller
