// Who runs builds, what each runs, and who is to take no new ones.

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::JsonWriter;
using http::Refusal;
using http::Request;

constexpr int kPage = 500;
constexpr int kMostPages = 40;  // of running builds
constexpr std::size_t kMostNamed = 20;

// "1.12.0" → {1, 12, 0}; nullopt: not written so.
std::optional<std::array<int, 3>> numbersOf(const std::string& version) {
  std::array<int, 3> numbers{};
  const char* at = version.data();
  const char* const end = at + version.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    if (error != std::errc() || (i < 2 && (next == end || *next != '.'))) return std::nullopt;
    at = i < 2 ? next + 1 : next;
  }
  return at == end ? std::optional(numbers) : std::nullopt;
}

// Beside this admin's: "same", "older", "newer", or "other" where that cannot be told.
std::string fitOf(const std::string& version) {
  if (version == OCELOT_VERSION) return "same";
  const auto theirs = numbersOf(version), ours = numbersOf(OCELOT_VERSION);
  if (!theirs || !ours || *theirs == *ours) return "other";
  return *theirs < *ours ? "older" : "newer";
}

std::map<std::string, std::vector<model::Build>> runningByWorker(store::Store& store) {
  std::map<std::string, std::vector<model::Build>> by_worker;
  store::BuildFilter running;
  running.states = {model::BuildState::running};
  running.limit = kPage;
  for (int page = 0; page < kMostPages; ++page) {
    auto builds = store.builds(running);
    if (builds.empty()) break;
    running.before_number = builds.back().number;
    const bool last = builds.size() < static_cast<std::size_t>(kPage);
    for (auto& build : builds) by_worker[build.worker].push_back(std::move(build));
    if (last) break;
  }
  return by_worker;
}

Answer list(Api& api) {
  auto running = runningByWorker(*api.engines.store);
  std::map<std::string, store::Drain> drains;
  for (auto& drain : api.engines.store->drains()) drains[drain.worker_id] = std::move(drain);
  std::vector<WorkerShown> shown;
  std::int64_t slots = 0, busy = 0;
  for (auto& worker : api.engines.discovery->workers()) {
    WorkerShown one;
    one.version_is = fitOf(worker.version);
    one.builds = std::move(running[worker.id]);
    if (const auto drain = drains.find(worker.id); drain != drains.end()) {
      one.drain = drain->second;
      drains.erase(drain);
    }
    one.online = true;
    one.worker = std::move(worker);
    slots += one.worker.slots;
    busy += static_cast<std::int64_t>(one.builds.size());
    shown.push_back(std::move(one));
  }
  // Asked for, and not there: shown, so that nobody wonders why it takes no builds when it comes back.
  for (auto& [id, drain] : drains) {
    WorkerShown one;
    one.worker.id = id;
    one.worker.name = drain.name;
    one.worker.note = "not heard of lately";
    one.builds = std::move(running[id]);
    one.drain = std::move(drain);
    shown.push_back(std::move(one));
  }
  JsonWriter out;
  out.object().key("workers").array();
  for (const auto& one : shown) write(out, one);
  out.end().field("slots", slots).field("busy", busy).field("version", OCELOT_VERSION).end();
  return http::json(out.text());
}

// By id, or by a name that one worker alone has. Those that are there, and those that were drained and went.
store::Drain workerOr404(Api& api, const std::string& wanted) {
  std::map<std::string, std::string> known;  // id → name
  for (const auto& drain : api.engines.store->drains()) known[drain.worker_id] = drain.name;
  for (const auto& worker : api.engines.discovery->workers()) known[worker.id] = worker.name;
  if (const auto found = known.find(wanted); found != known.end()) return {found->first, found->second, "", 0};
  std::vector<std::string> ids, there_are;
  for (const auto& [id, name] : known) {
    if (name == wanted) ids.push_back(id);
    there_are.push_back(name + " (" + id + ")");
  }
  if (ids.size() == 1) return {ids.front(), wanted, "", 0};
  if (ids.empty())
    refuse404("no_such_worker", "there is no worker " + wanted.substr(0, 200), there_are, "no worker is online");
  std::string list;
  for (std::size_t i = 0; i < std::min(ids.size(), kMostNamed); ++i) list += (list.empty() ? "" : ", ") + ids[i];
  throw Refusal(409, "several_workers", std::to_string(ids.size()) + " workers are called " + wanted.substr(0, 200),
                "give the id of the one that is meant: " + list);
}

Answer drain(Api& api, const Request& request) {
  auto wanted = workerOr404(api, request.param("id"));
  wanted.by = request.identity.name;
  const auto asked = api.engines.store->drainWorker(wanted);
  JsonWriter out;
  out.object()
      .field("id", asked.worker_id)
      .field("name", asked.name)
      .field("drained_by", asked.by)
      .field("drained_at", asked.at)
      .end();
  return http::json(out.text());
}

Answer undrain(Api& api, const Request& request) {
  const auto worker = workerOr404(api, request.param("id"));
  if (!api.engines.store->undrainWorker(worker.worker_id))
    throw Refusal(404, "not_drained", "nobody has asked worker " + worker.name + " to take no builds",
                  "`ocelot workers` says why a worker takes none");
  return http::nothing();
}

}  // namespace

void addWorkerRoutes(http::Routes& routes, Api& api) {
  using http::Role;
  routes.get("/v1/workers", Role::viewer, [&api](const Request&) { return list(api); });
  routes.post("/v1/workers/{id}/drain", Role::operate, audited(api, "worker.drain", drain));
  routes.del("/v1/workers/{id}/drain", Role::operate, audited(api, "worker.undrain", undrain));
}

}  // namespace ocelot::admin
