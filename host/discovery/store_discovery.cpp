// The stand-in for Consul: the table of workers in the store.

#include <algorithm>

#include "host/discovery/discovery.hpp"

namespace ocelot::discovery {
namespace {

// Three missed announcements.
constexpr model::Micros kHeardOfWithin = 15'000'000;

class StoreDiscovery final : public Discovery {
 public:
  explicit StoreDiscovery(store::Store& store) : store_(store) {}

  void announce(const Worker& worker) override { store_.putWorker(worker); }
  void withdraw(const std::string& worker_id) override { store_.removeWorker(worker_id); }

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
};

}  // namespace

std::unique_ptr<Discovery> openStoreDiscovery(store::Store& store) { return std::make_unique<StoreDiscovery>(store); }

}  // namespace ocelot::discovery
