#pragma once
// Makes lost wake-ups, dead workers and old builds harmless. Any admin runs one; one at a time is at work, by a lock in
// the store that another takes over within seconds.
//
// It alone ends leases, and only after it has itself watched the store, without a break, for as long as a lease lasts:
// a store that was away must not cost anybody a build. A lease must also have been seen overdue for longer than a
// heartbeat, because a store's clock that is put forward makes all of them overdue at once. Whoever has heard from it
// that the store is away relies on it: from then on it watches anew.

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "components/admin/figures.hpp"
#include "components/admin/keep.hpp"
#include "components/admin/store_watch.hpp"
#include "host/engines/engines.hpp"

namespace ocelot::admin {

struct ReconcilerSettings {
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds prune_interval{60000};
  std::chrono::milliseconds lease{30000};
  std::chrono::milliseconds ask_store_every{1000};  // whether it is there
  int max_attempts = 3;
  store::Retention retention;
  int keep_audit_days = 0;          // 0: no limit
  std::int64_t keep_log_bytes = 0;  // all logs together; 0: no limit
};

class Reconciler {
 public:
  // `engines` and `metrics` outlive it.
  Reconciler(engines::Engines& engines, ReconcilerSettings settings, daemon::Metrics& metrics);
  ~Reconciler();  // gives the lock back
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  // "" when the store can be reached, else why not. [any] thread, answers at once.
  std::string whyStoreAway() { return store_watch_.whyAway(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Overdue {
    store::Micros lease_until = 0;
    Clock::time_point since;
  };
  struct Nudge {
    Clock::time_point next;
    std::chrono::milliseconds pause;
  };

  void run();
  void turn();
  bool lead();
  void wakeWorkers();
  void wakeAgain(const std::vector<std::string>& topics);
  void endLeases();
  bool watchedLongEnough();
  void prune();

  engines::Engines& engines_;
  const ReconcilerSettings settings_;
  const std::string me_;
  Figures figures_;
  daemon::Counter& store_errors_;
  Keeping keeping_;
  StoreWatch store_watch_;
  std::uint64_t interruptions_;
  Clock::time_point watching_since_, pruned_at_;
  std::map<std::string, Overdue> overdue_;  // by claim id
  std::map<std::string, Nudge> nudges_;     // by topic whose builds have waited for long
  bool queue_away_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ocelot::admin
