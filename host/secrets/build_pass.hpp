#pragma once
// What lets one build's worker read that build's secrets, and nothing else: a Vault token of its own.
//
//   admin: issue() ─ handed over wrapped ─ worker: openPass() ─ reads ─ ~Secrets revokes it
//
// The token has no parent (a token role of Vault's says so), so that neither worker nor admin takes it along when its
// own login ends, and a policy that allows reading the one repository's paths. Wrapped, it can be taken out once: if
// somebody else was quicker, openPass() says so.

#include <chrono>
#include <memory>
#include <string>

#include "host/secrets/vault.hpp"

namespace ocelot::secrets {

// [any] thread.
class PassOffice {
 public:
  // `role`: a token role with orphan=true and allowed_policies_glob=ocelot-repo-*.
  PassOffice(std::shared_ptr<VaultSession> session, VaultKv kv, std::string role);
  // A pass for this repository's secrets, wrapped for a minute, good for `lifetime`. Throws Unavailable and Refused.
  std::string issue(const std::string& repo_id, std::chrono::seconds lifetime);

 private:
  void requirePolicy(const std::string& name, const std::string& repo_id);
  const std::shared_ptr<VaultSession> session_;
  const VaultKv kv_;
  const std::string role_;
};

// Secrets as the holder of the pass may see them; revokes the pass when it goes. `version` 0 cannot be asked with a
// pass.
std::unique_ptr<Secrets> openPass(const VaultPlace& place, VaultKv kv, const std::string& wrapped, VaultLog log);

}  // namespace ocelot::secrets
