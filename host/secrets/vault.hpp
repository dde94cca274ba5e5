#pragma once
// Secrets kept by HashiCorp Vault, in a key-value engine of version 1 or 2.
//
// A secret NAME is the document <mount>/<prefix>/NAME with one field: `value`, the text; or `value_base64`, for bytes
// that are no text. So an operator writes one with
//
//   vault kv put -mount=secret ocelot/repo/<repo id>/TOKEN value=s3cr3t

#include <memory>
#include <string>

#include "host/secrets/secrets.hpp"
#include "host/secrets/vault_session.hpp"

namespace ocelot::secrets {

struct VaultKv {
  std::string mount = "secret";
  std::string prefix = "ocelot";  // "": the engine is Ocelot's alone
  int version = 0;                // 1 or 2; 0: Vault is asked
};

std::unique_ptr<Secrets> openVaultSecrets(std::shared_ptr<VaultSession> session, VaultKv kv);

}  // namespace ocelot::secrets
