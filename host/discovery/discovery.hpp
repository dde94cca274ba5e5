#pragma once
// Who is there: live workers and where they answer. The stand-in keeps a table in the store.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/store/store.hpp"

namespace ocelot::discovery {

using Worker = store::WorkerRow;

class Discovery {
 public:
  virtual ~Discovery() = default;
  // Again every 5 s. store::WorkerHeld: another worker has that id (the stand-in asks; what Consul is told, the store
  // is asked about before).
  virtual void announce(const Worker& worker) = 0;
  virtual void withdraw(const std::string& worker_id) = 0;  // what was announced from here
  // Workers heard of in the last 15 s.
  virtual std::vector<Worker> workers() = 0;
  virtual std::optional<Worker> find(const std::string& worker_id) = 0;
  // All builds that this worker runs now; said again with each announcement. For whoever looks at the engine itself:
  // the store knows it anyway, so the stand-in keeps nothing.
  virtual void running(const std::string& worker_id, const std::vector<std::string>& build_ids) = 0;
  // Why the engine cannot be reached, "" when it can: for /readyz. Never throws.
  virtual std::string whyAway() = 0;
};

std::unique_ptr<Discovery> openStoreDiscovery(store::Store& store);

}  // namespace ocelot::discovery
