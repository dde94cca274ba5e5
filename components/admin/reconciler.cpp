#include "components/admin/reconciler.hpp"

#include "host/daemon/log.hpp"
#include "host/trigger/trigger.hpp"

namespace ocelot::admin {
namespace {

using daemon::log;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kStaleMs = 10000;  // a build queued for so long with nobody woken, or woken in vain
constexpr milliseconds kPruneEvery{60000};
constexpr int kPruneAtOnce = 100;

}  // namespace

Reconciler::Reconciler(engines::Engines& engines, ReconcilerSettings settings)
    : engines_(engines),
      settings_(settings),
      me_(model::newUuid()),
      watching_since_(Clock::now()),
      pruned_at_(Clock::now()),
      thread_([this] { run(); }) {}

Reconciler::~Reconciler() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Reconciler::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      turn();
    } catch (const std::exception& error) {
      watching_since_ = Clock::now();
      log(LogLevel::warning, "reconciling failed; it is tried again", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, settings_.interval, [this] { return stopping_; });
  }
}

void Reconciler::turn() {
  if (!engines_.store->tryLead("reconciler", me_, 3 * settings_.interval.count())) {
    watching_since_ = Clock::now();
    return;
  }
  wakeWorkers();
  if (Clock::now() - watching_since_ >= settings_.lease) endLeases();
  if (Clock::now() - pruned_at_ >= kPruneEvery) prune();
}

void Reconciler::wakeWorkers() {
  trigger::publishOutbox(*engines_.store, *engines_.queue);
  for (const auto& topic : engines_.store->staleTopics(kStaleMs)) engines_.queue->publish(topic);
}

void Reconciler::endLeases() {
  for (const auto& lease : engines_.store->expiredLeases()) {
    if (!engines_.store->endLease(lease, settings_.max_attempts)) continue;
    log(LogLevel::warning, "a lease has ended: its worker is away",
        {{"build", lease.build_id}, {"worker", lease.worker}, {"attempt", std::to_string(lease.attempt)}});
    wakeWorkers();
  }
}

void Reconciler::prune() {
  pruned_at_ = Clock::now();
  int gone = engines_.store->prune(settings_.retention, kPruneAtOnce);
  // Beyond the disk's share the oldest go first, a few at a time, until it fits.
  if (settings_.keep_log_bytes > 0 && engines_.store->logBytes() > settings_.keep_log_bytes) {
    store::Retention tighter;
    tighter.keep_builds_per_repo = 1;
    gone += engines_.store->prune(tighter, kPruneAtOnce / 10);
  }
  if (gone > 0) log(LogLevel::info, "old builds removed", {{"builds", std::to_string(gone)}});
}

}  // namespace ocelot::admin
