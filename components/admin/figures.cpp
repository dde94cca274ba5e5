#include "components/admin/figures.hpp"

namespace ocelot::admin {
namespace {

// A tag is any word of an ocelot.yml: what is beyond so many is told together.
constexpr std::size_t kMostTags = 100;
constexpr const char* kOtherTags = "(others)";

}  // namespace

daemon::Counter& storeErrors(daemon::Metrics& metrics) {
  return metrics.counter("ocelot_store_errors_total", "Times that an engine was away when it was needed");
}

Figures::Figures(daemon::Metrics& metrics)
    : metrics_(metrics),
      running_(metrics.gauge("ocelot_builds_running", "Builds that run")),
      workers_(metrics.gauge("ocelot_workers", "Workers heard of in the last 15 s")),
      slots_(metrics.gauge("ocelot_worker_slots", "Builds that the workers that take builds can run at once")),
      log_bytes_(metrics.gauge("ocelot_log_bytes", "What all logs take; measured once a minute")),
      interruptions_(metrics.gauge("ocelot_store_interruptions", "How often the connection to the store was lost")),
      leases_ended_(metrics.counter("ocelot_leases_ended_total", "Builds taken from a worker that was away")),
      pruned_(metrics.counter("ocelot_builds_pruned_total", "Old builds removed")) {
  waiting("");
}

daemon::Gauge& Figures::waiting(const std::string& tag) {
  if (waiting_.size() >= kMostTags && !waiting_.count(tag) && tag != kOtherTags) return waiting(kOtherTags);
  auto& gauge = waiting_[tag];
  if (!gauge) gauge = &metrics_.gauge("ocelot_builds_queued", "Builds that wait, by machine tag", {{"tag", tag}});
  return *gauge;
}

void Figures::measure(engines::Engines& engines) {
  std::int64_t running = 0;
  std::map<daemon::Gauge*, std::int64_t> queued;
  for (const auto& [tag, gauge] : waiting_) queued[gauge] = 0;
  for (const auto& count : engines.store->activeCounts()) {
    if (count.state == model::BuildState::running) running += count.builds;
    if (count.state == model::BuildState::queued) queued[&waiting(count.machine_tag)] += count.builds;
  }
  running_.set(running);
  for (const auto& [gauge, builds] : queued) gauge->set(builds);

  std::int64_t workers = 0, slots = 0;
  for (const auto& worker : engines.discovery->workers()) {
    ++workers;
    if (worker.note.empty()) slots += worker.slots;
  }
  workers_.set(workers);
  slots_.set(slots);
  interruptions_.set(static_cast<std::int64_t>(engines.store->interruptions()));
}

}  // namespace ocelot::admin
