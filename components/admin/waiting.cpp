#include "components/admin/waiting.hpp"

#include <algorithm>

namespace ocelot::admin {
namespace {

std::string ordinal(std::int64_t n) {
  const char* suffix = "th";
  if (n % 100 < 11 || n % 100 > 13) suffix = n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
  return std::to_string(n) + suffix;
}

}  // namespace

std::string whyWaiting(store::Store& store, discovery::Discovery& discovery, const model::Build& build) {
  if (build.state != model::BuildState::queued) return "";
  const auto workers = discovery.workers();
  if (workers.empty()) return "no worker is online; start one with `ocelot-worker` or `ocelot up`";
  std::string names, notes;
  int fitting = 0, slots = 0;
  for (const auto& worker : workers) {
    names += (names.empty() ? "" : ", ") + worker.name;
    const bool fits = build.machine_tag.empty() ||
                      std::find(worker.tags.begin(), worker.tags.end(), build.machine_tag) != worker.tags.end();
    if (!fits) continue;
    ++fitting;
    if (worker.note.empty()) {
      slots += worker.slots;
    } else {
      notes += (notes.empty() ? "" : "; ") + worker.name + " takes no builds: " + worker.note;
    }
  }
  if (fitting == 0)
    return "no worker has tag " + build.machine_tag + " (" + std::to_string(workers.size()) + " online: " + names + ")";
  if (slots == 0) return notes;
  const std::int64_t ahead = store.aheadInQueue(build);
  const std::string place = ahead == 0 ? "next in line" : ordinal(ahead + 1) + " in line";
  return place + " (" + std::to_string(slots) + (slots == 1 ? " slot" : " slots") + " on " + std::to_string(fitting) +
         (fitting == 1 ? " worker)" : " workers)");
}

}  // namespace ocelot::admin
