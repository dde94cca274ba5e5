#pragma once
// What /metrics tells about the books: the queue, running builds, workers, logs.

#include <map>
#include <string>

#include "host/daemon/metrics.hpp"
#include "host/engines/engines.hpp"

namespace ocelot::admin {

// Counted wherever the store was away when it was needed.
daemon::Counter& storeErrors(daemon::Metrics& metrics);

// For one thread: the reconciler's. A scrape reads what was measured last and asks the store nothing, so that it
// answers while the store is away.
class Figures {
 public:
  // `metrics` outlives it.
  explicit Figures(daemon::Metrics& metrics);
  void measure(engines::Engines& engines);
  void measureLogs(std::int64_t bytes) { log_bytes_.set(bytes); }
  void leaseEnded() { leases_ended_.add(); }
  void pruned(int builds) { pruned_.add(static_cast<std::uint64_t>(builds)); }

 private:
  daemon::Gauge& waiting(const std::string& tag);

  daemon::Metrics& metrics_;
  daemon::Gauge& running_;
  daemon::Gauge& workers_;
  daemon::Gauge& slots_;
  daemon::Gauge& log_bytes_;
  daemon::Gauge& interruptions_;
  daemon::Counter& leases_ended_;
  daemon::Counter& pruned_;
  std::map<std::string, daemon::Gauge*> waiting_;  // by tag; a queue that has become empty is told as 0
};

}  // namespace ocelot::admin
