#include "components/admin/reconciler.hpp"

#include "host/daemon/log.hpp"
#include "host/trigger/trigger.hpp"

namespace ocelot::admin {
namespace {

using daemon::log;

constexpr const char* kRole = "reconciler";
constexpr std::int64_t kStaleMs = 10000;  // a build queued for so long with nobody woken, or woken in vain
constexpr std::chrono::milliseconds kLongestNudge = std::chrono::minutes(10);
constexpr int kHeartbeatsPerLease = 6;
constexpr int kPruneAtOnce = 100;
constexpr int kPruneAuditAtOnce = 1000;
// Beyond the disk's share the oldest go first, so many at a time, until it fits; a turn has so many rounds of that.
constexpr int kPrunePerRound = 10;
constexpr int kPruneRounds = 50;

}  // namespace

Reconciler::Reconciler(engines::Engines& engines, ReconcilerSettings settings, daemon::Metrics& metrics)
    : engines_(engines),
      settings_(std::move(settings)),
      me_(model::newUuid()),
      figures_(metrics),
      store_errors_(storeErrors(metrics)),
      store_watch_(*engines.store, settings_.ask_store_every),
      interruptions_(engines.store->interruptions()),
      watching_since_(Clock::now()),
      pruned_at_(Clock::now() - settings_.prune_interval),
      thread_([this] { run(); }) {}

Reconciler::~Reconciler() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  try {
    engines_.store->tryLead(kRole, me_, 0);
  } catch (const std::exception& error) {
    log(LogLevel::info, "the reconciler's lock was not given back; it ends by itself", {{"why", error.what()}});
  }
}

void Reconciler::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      turn();
    } catch (const std::exception& error) {
      if (dynamic_cast<const store::Unavailable*>(&error)) store_errors_.add();
      watching_since_ = Clock::now();
      log(LogLevel::warning, "reconciling failed; it is tried again", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, settings_.interval, [this] { return stopping_; });
  }
}

void Reconciler::turn() {
  figures_.measure(engines_);
  const bool leading = lead();
  if (leading) {
    wakeWorkers();
    endLeases();
  }
  if (Clock::now() - pruned_at_ < settings_.prune_interval) return;
  pruned_at_ = Clock::now();
  if (leading) prune();
  figures_.measureLogs(engines_.store->logBytes());
}

bool Reconciler::lead() {
  if (engines_.store->tryLead(kRole, me_, 3 * settings_.interval.count())) return true;
  watching_since_ = Clock::now();
  overdue_.clear();
  return false;
}

// A queue that is away keeps nobody from ending leases: the rows wait, and workers look by themselves meanwhile.
void Reconciler::wakeWorkers() {
  try {
    trigger::publishOutbox(*engines_.store, *engines_.queue);
    wakeAgain(engines_.store->staleTopics(kStaleMs));
    if (queue_away_) log(LogLevel::info, "the queue is there again");
    queue_away_ = false;
  } catch (const queue::Unavailable& away) {
    if (!queue_away_) log(LogLevel::warning, "the queue is away; wake-ups wait for it", {{"why", away.what()}});
    queue_away_ = true;
  }
}

// Less and less often, as a queue may keep what nobody takes: a build may wait for a worker that is to come next week.
void Reconciler::wakeAgain(const std::vector<std::string>& topics) {
  std::map<std::string, Nudge> nudges;
  for (const auto& topic : topics) {
    const auto known = nudges_.find(topic);
    Nudge nudge = known == nudges_.end() ? Nudge{Clock::now(), settings_.interval} : known->second;
    if (Clock::now() >= nudge.next) {
      engines_.queue->publish(topic);
      nudge = {Clock::now() + nudge.pause, std::min(nudge.pause * 2, kLongestNudge)};
    }
    nudges.emplace(topic, nudge);
  }
  nudges_ = std::move(nudges);
}

// The store hides a short loss of its connection by trying again; for whoever watches the clock it is a break.
bool Reconciler::watchedLongEnough() {
  const std::uint64_t interruptions = engines_.store->interruptions();
  if (interruptions != interruptions_) {
    interruptions_ = interruptions;
    watching_since_ = Clock::now();
  }
  return Clock::now() - std::max(watching_since_, store_watch_.lastAway()) >= settings_.lease;
}

void Reconciler::endLeases() {
  std::map<std::string, Overdue> overdue;
  bool any = false;
  for (const auto& lease : engines_.store->expiredLeases()) {
    const auto known = overdue_.find(lease.claim_id);
    const bool same = known != overdue_.end() && known->second.lease_until == lease.lease_until;
    const Overdue seen = same ? known->second : Overdue{lease.lease_until, Clock::now()};
    overdue.emplace(lease.claim_id, seen);
    if (!watchedLongEnough() || Clock::now() - seen.since < settings_.lease / kHeartbeatsPerLease) continue;
    if (!engines_.store->endLease(lease, settings_.max_attempts)) continue;
    any = true;
    figures_.leaseEnded();
    log(LogLevel::warning, "a lease has ended: its worker is away",
        {{"build", lease.build_id}, {"worker", lease.worker}, {"attempt", std::to_string(lease.attempt)}});
  }
  overdue_ = std::move(overdue);
  if (any) wakeWorkers();
}

void Reconciler::prune() {
  engines_.store->pruneAudit(settings_.keep_audit_days, kPruneAuditAtOnce);
  store::Retention retention = settings_.retention;
  retention.repos = keeping_.wishes(*engines_.store);
  int gone = engines_.store->prune(retention, kPruneAtOnce);
  store::Retention last_only;
  last_only.keep_builds_per_repo = 1;
  for (int round = 0; round < kPruneRounds && settings_.keep_log_bytes > 0; ++round) {
    if (engines_.store->logBytes() <= settings_.keep_log_bytes) break;
    const int more = engines_.store->prune(last_only, kPrunePerRound);
    gone += more;
    if (more > 0) continue;
    log(LogLevel::warning, "logs take more than retention.keep_disk, and no build is left that may go",
        {{"bytes", std::to_string(engines_.store->logBytes())}, {"limit", std::to_string(settings_.keep_log_bytes)}});
    break;
  }
  if (gone == 0) return;
  figures_.pruned(gone);
  log(LogLevel::info, "old builds removed", {{"builds", std::to_string(gone)}});
}

}  // namespace ocelot::admin
