#pragma once
// Makes lost wake-ups, dead workers and old builds harmless. Any admin runs one; one at a time is at work, by a lock in
// the store that another takes over within seconds.
//
// It alone ends leases, and only after it has itself watched the store, without a break, for as long as a lease lasts:
// a store that was away must not cost anybody a build.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "host/engines/engines.hpp"

namespace ocelot::admin {

struct ReconcilerSettings {
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds lease{30000};
  int max_attempts = 3;
  store::Retention retention;
  std::int64_t keep_log_bytes = 0;  // all logs together; 0: no limit
};

class Reconciler {
 public:
  Reconciler(engines::Engines& engines, ReconcilerSettings settings);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

 private:
  void run();
  void turn();
  void wakeWorkers();
  void endLeases();
  void prune();

  engines::Engines& engines_;
  const ReconcilerSettings settings_;
  const std::string me_;
  std::chrono::steady_clock::time_point watching_since_, pruned_at_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ocelot::admin
