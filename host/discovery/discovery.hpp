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
  virtual void announce(const Worker& worker) = 0;  // again every 5 s
  virtual void withdraw(const std::string& worker_id) = 0;
  // Workers heard of in the last 15 s.
  virtual std::vector<Worker> workers() = 0;
  virtual std::optional<Worker> find(const std::string& worker_id) = 0;
};

std::unique_ptr<Discovery> openStoreDiscovery(store::Store& store);

}  // namespace ocelot::discovery
