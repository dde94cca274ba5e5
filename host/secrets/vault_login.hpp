#pragma once
// How Ocelot comes by a Vault token of its own, and makes it last.

#include <chrono>
#include <string>

#include "host/secrets/vault_http.hpp"

namespace ocelot::secrets {

struct VaultAuth {
  std::string method = "token";  // token | approle | kubernetes
  std::string mount;             // where the method is enabled; "": under its own name
  // token: the value, or a file that is read again at each login
  std::string token;
  std::string token_file;
  // approle
  std::string role_id;
  std::string secret_id_file;
  // kubernetes: the role, and the service account's token, which Kubernetes renews in its file
  std::string role;
  std::string jwt_file;
};

struct OwnToken {
  std::string token;
  std::chrono::seconds ttl{0};  // from now; 0: without end
  bool renewable = false;
};

// Each throws Unavailable with what to do when it does not work out. [any] thread.
OwnToken login(VaultHttp& http, const VaultAuth& auth);
OwnToken renew(VaultHttp& http, const OwnToken& own);

}  // namespace ocelot::secrets
