#pragma once
// Workers as services of Consul, and who runs which build as keys under the worker's session.
//
//   service ocelot-worker, one per worker: address, port, tags; what else is known of it in the service's meta
//   check   TTL 15 s, passed by each announcement; ten minutes after the last one Consul forgets the service
//   keys    <prefix>/builds/<build id> = <worker id>, held by the worker's session: they go when it does

#include <chrono>
#include <memory>

#include "host/consul/consul.hpp"
#include "host/discovery/discovery.hpp"

namespace ocelot::discovery {

struct ConsulTimes {
  std::chrono::seconds check{15};    // a worker not heard of for so long is not there
  std::chrono::seconds session{30};  // Consul may take twice as long
  std::chrono::seconds forget{600};
};

std::unique_ptr<Discovery> openConsulDiscovery(consul::ConsulSettings settings, ConsulTimes times = {});

}  // namespace ocelot::discovery
