#pragma once
// DISCOVERY_CONTRACT(aSentenceInCamelCase) { … discovery, id … }: what holds whoever keeps the register. Each becomes
// three tests: on the stand-in over each store, and on a real Consul. `id` is nobody else's, as a real Consul has other
// workers.

#include "host/discovery/discovery.hpp"
#include "tests/contract/support/contract.hpp"

namespace ocelot::test {

using DiscoveryBody = void (*)(discovery::Discovery& discovery, const std::string& id);

struct OnConsul {
  OnConsul(const char* name, DiscoveryBody body);
};

discovery::Worker someWorker(const std::string& id);

}  // namespace ocelot::test

#define DISCOVERY_CONTRACT(name)                                                                      \
  static void name##_body(ocelot::discovery::Discovery& discovery, const std::string& id);            \
  CONTRACT(name) { name##_body(*ocelot::discovery::openStoreDiscovery(ground.store()), "worker-a"); } \
  static const ocelot::test::OnConsul name##_on_consul(#name, name##_body);                           \
  static void name##_body(ocelot::discovery::Discovery& discovery, const std::string& id)
