// Vault as the configuration names it.

#include "host/daemon/log.hpp"
#include "host/engines/engines.hpp"
#include "host/secrets/vault_database.hpp"

namespace ocelot::engines {

secrets::VaultPlace vaultPlace(const config::Config& config) {
  return {config.text("vault.url"), config.text("vault.ca"), config.text("vault.namespace"),
          config.duration("vault.timeout")};
}

secrets::VaultKv vaultKv(const config::Config& config) {
  return {config.text("vault.mount"), config.text("vault.prefix"), static_cast<int>(config.number("vault.kv_version"))};
}

std::shared_ptr<secrets::VaultSession> openVault(const config::Config& config) {
  secrets::VaultAuth auth;
  auth.method = config.text("vault.auth");
  auth.mount = config.text("vault.auth_mount");
  auth.token = config.secret("vault.token", {});
  auth.token_file = config.text("vault.token_file");
  auth.role_id = config.text("vault.role_id");
  auth.secret_id_file = config.text("vault.secret_id_file");
  auth.role = config.text("vault.role");
  auth.jwt_file = config.text("vault.jwt_file");
  return std::make_shared<secrets::VaultSession>(
      vaultPlace(config), std::move(auth), [](LogLevel level, std::string_view text) { daemon::log(level, text); });
}

std::shared_ptr<store::Credentials> openVaultDatabase(const config::Config& config) {
  return std::make_shared<secrets::VaultDatabase>(
      openVault(config),
      secrets::VaultDatabaseRole{config.text("vault.database_mount"), config.text("store.vault_role")},
      [](LogLevel level, std::string_view text) { daemon::log(level, text); });
}

std::unique_ptr<secrets::Secrets> openSecrets(const config::Config& config, store::Store& store) {
  if (config.text("secrets.kind") != "vault") return secrets::openStoreSecrets(store, config.text("secrets.key_file"));
  return secrets::openVaultSecrets(openVault(config), vaultKv(config));
}

std::unique_ptr<secrets::PassOffice> openPassOffice(const config::Config& config) {
  if (config.text("secrets.kind") != "vault" || !config.has("vault.build_role")) return nullptr;
  return std::make_unique<secrets::PassOffice>(openVault(config), vaultKv(config), config.text("vault.build_role"));
}

}  // namespace ocelot::engines
