#pragma once
// The four engines as the configuration names them, opened: what every daemon begins with.

#include <memory>
#include <string>

#include "host/config/config.hpp"
#include "host/discovery/discovery.hpp"
#include "host/queue/queue.hpp"
#include "host/secrets/build_pass.hpp"
#include "host/store/store.hpp"

namespace ocelot::engines {

struct Engines {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<queue::Queue> queue;
  std::unique_ptr<discovery::Discovery> discovery;
  std::unique_ptr<secrets::Secrets> secrets;
};

// Opens them and brings the store's schema up to date. Throws store::Unavailable, secrets::Unavailable, or
// config::Invalid.
Engines open(const config::Config& config);

// A session with Vault, by the keys vault.*: nothing is asked of Vault before it is used.
std::shared_ptr<secrets::VaultSession> openVault(const config::Config& config);
std::unique_ptr<discovery::Discovery> openDiscovery(const config::Config& config, store::Store& store);
secrets::VaultPlace vaultPlace(const config::Config& config);
secrets::VaultKv vaultKv(const config::Config& config);
// Where builds' passes are made; nullptr without vault.build_role.
std::unique_ptr<secrets::PassOffice> openPassOffice(const config::Config& config);
std::unique_ptr<secrets::Secrets> openSecrets(const config::Config& config, store::Store& store);

store::StoreSettings storeSettings(const config::Config& config);

// Looks up what the configuration writes as `!secret NAME`: stored as "system/NAME".
config::Resolver resolverOf(secrets::Secrets& secrets);

// 32 random bytes that all daemons share under this name; whoever needs them first makes them.
std::string sharedKey(Engines& engines, const std::string& name);

}  // namespace ocelot::engines
