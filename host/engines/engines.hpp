#pragma once
// The four engines as the configuration names them, opened: what every daemon begins with.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "host/config/config.hpp"
#include "host/daemon/daemon.hpp"
#include "host/discovery/discovery.hpp"
#include "host/queue/queue.hpp"
#include "host/secrets/build_pass.hpp"
#include "host/store/store.hpp"

namespace ocelot::engines {

struct Engines {
  std::shared_ptr<store::Credentials> credentials;  // of the store, where accounts change; else nullptr
  std::unique_ptr<store::Store> store;
  std::unique_ptr<queue::Queue> queue;
  std::unique_ptr<discovery::Discovery> discovery;
  std::unique_ptr<secrets::Secrets> secrets;
};

// open() for a daemon: an engine that is away is told as daemon::Away, to be waited for; one that refuses us, and what
// is wrong in the configuration, is thrown as it is. `then`: what else needs them, tried anew with them each time.
void openForDaemon(Engines& engines, const config::Config& config, const std::function<void()>& then);
// Says in /readyz how they are.
void watchHealth(daemon::Health& health, Engines& engines);

// Opens them and brings the store's schema up to date. Throws store::Unavailable, secrets::Unavailable, or
// config::Invalid.
Engines open(const config::Config& config, std::shared_ptr<store::Credentials> credentials = nullptr);

// A session with Vault, by the keys vault.*: nothing is asked of Vault before it is used.
std::shared_ptr<secrets::VaultSession> openVault(const config::Config& config);
std::unique_ptr<discovery::Discovery> openDiscovery(const config::Config& config, store::Store& store);
secrets::VaultPlace vaultPlace(const config::Config& config);
secrets::VaultKv vaultKv(const config::Config& config);
// Accounts for the store, by store.vault_role. Nothing is asked of Vault before the first is needed.
std::shared_ptr<store::Credentials> openVaultDatabase(const config::Config& config);
// Where builds' passes are made; nullptr without vault.build_role.
std::unique_ptr<secrets::PassOffice> openPassOffice(const config::Config& config);
std::unique_ptr<secrets::Secrets> openSecrets(const config::Config& config, store::Store& store);

// `credentials`: those of an earlier call, to go on with; nullptr: made anew where store.vault_role is set.
store::StoreSettings storeSettings(const config::Config& config,
                                   std::shared_ptr<store::Credentials> credentials = nullptr);

// Looks up what the configuration writes as `!secret NAME`: stored as "system/NAME".
config::Resolver resolverOf(secrets::Secrets& secrets);

// sharedKey() as a daemon needs it that is up while the secret store is away. [any] thread.
class SharedKey {
 public:
  // Tries at once. Throws what a secret store throws that refuses us; one that is away is asked again by get().
  SharedKey(Engines& engines, std::string name);
  // nullopt: it cannot be had now. Asks every few seconds at most, and remembers.
  std::optional<std::string> get();

 private:
  Engines& engines_;
  const std::string name_;
  std::mutex mutex_;  // guards what follows
  std::optional<std::string> key_;
  std::chrono::steady_clock::time_point ask_after_{};
};

// 32 random bytes that all daemons share under this name; whoever needs them first makes them.
std::string sharedKey(Engines& engines, const std::string& name);

}  // namespace ocelot::engines
