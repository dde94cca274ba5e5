// The stand-in for Consul: the table of workers in the store.

#include <algorithm>
#include <mutex>

#include "host/discovery/discovery.hpp"

namespace ocelot::discovery {
namespace {

// Three missed announcements.
constexpr model::Micros kHeardOfWithin = 15'000'000;

class StoreDiscovery final : public Discovery {
 public:
  explicit StoreDiscovery(store::Store& store) : store_(store) {}

  void announce(const Worker& worker) override {
    store_.putWorker(worker);
    const std::lock_guard lock(mutex_);
    announced_ = worker;
  }
  void withdraw(const std::string& worker_id) override {
    Worker worker;
    {
      const std::lock_guard lock(mutex_);
      worker = announced_;
    }
    if (worker.id != worker_id) worker = Worker{worker_id, "", "", {}, 0, "", "", 0, 0};
    store_.removeWorker(worker);
  }

  std::vector<Worker> workers() override {
    auto rows = store_.workers();
    // By the store's clock, as seen_at is: machines' clocks differ.
    const auto oldest = store_.now() - kHeardOfWithin;
    rows.erase(std::remove_if(rows.begin(), rows.end(), [&](const Worker& row) { return row.seen_at < oldest; }),
               rows.end());
    return rows;
  }

  std::optional<Worker> find(const std::string& worker_id) override {
    for (auto& worker : workers())
      if (worker.id == worker_id) return std::move(worker);
    return std::nullopt;
  }

  void running(const std::string&, const std::vector<std::string>&) override {}
  std::string whyAway() override { return ""; }  // the store tells of itself

 private:
  store::Store& store_;
  std::mutex mutex_;  // guards announced_
  Worker announced_;  // last, from here
};

}  // namespace

std::unique_ptr<Discovery> openStoreDiscovery(store::Store& store) { return std::make_unique<StoreDiscovery>(store); }

}  // namespace ocelot::discovery
