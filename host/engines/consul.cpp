// Consul as the configuration names it.

#include "host/discovery/consul_discovery.hpp"
#include "host/engines/engines.hpp"

namespace ocelot::engines {

std::unique_ptr<discovery::Discovery> openDiscovery(const config::Config& config, store::Store& store) {
  if (config.text("discovery.kind") != "consul") return discovery::openStoreDiscovery(store);
  return discovery::openConsulDiscovery(consul::settingsFrom(config));
}

}  // namespace ocelot::engines
