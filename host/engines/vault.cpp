// Vault as the configuration names it.

#include "host/daemon/log.hpp"
#include "host/engines/engines.hpp"

namespace ocelot::engines {

std::shared_ptr<secrets::VaultSession> openVault(const config::Config& config) {
  secrets::VaultPlace place;
  place.url = config.text("vault.url");
  place.ca_file = config.text("vault.ca");
  place.name_space = config.text("vault.namespace");
  place.timeout = config.duration("vault.timeout");
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
      std::move(place), std::move(auth), [](LogLevel level, std::string_view text) { daemon::log(level, text); });
}

std::unique_ptr<secrets::Secrets> openSecrets(const config::Config& config, store::Store& store) {
  if (config.text("secrets.kind") != "vault") return secrets::openStoreSecrets(store, config.text("secrets.key_file"));
  return secrets::openVaultSecrets(openVault(config), {config.text("vault.mount"), config.text("vault.prefix"),
                                                       static_cast<int>(config.number("vault.kv_version"))});
}

}  // namespace ocelot::engines
