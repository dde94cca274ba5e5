#pragma once
// What lets one build read its secrets, and nothing else: a Vault token of its own, the pass.
//
//   admin: issue() ─ handed over wrapped ─ build: unwrapPass() ─ openPass(), reads and renews ─ revokePass()
//
// The token has no parent (a token role of Vault's says so), so that neither worker nor admin takes it along when its
// own login ends, and a policy that allows reading the one repository's paths. It lives for a short time and is renewed
// by whoever holds it, so that one whose holder is gone ends soon by itself. Wrapped, it can be taken out once: if
// somebody else was quicker, unwrapPass() says so.
//
// Renewals end with the role's token_explicit_max_ttl. *Rationale:* a token has such an end of its own too, but Vault
// (1.21) forgets it when a token of a role is renewed.

#include <chrono>
#include <memory>
#include <string>

#include "host/secrets/vault.hpp"

namespace ocelot::secrets {

// Unless renewed a pass ends after this. As long as Vault may be away with no pass lost.
constexpr std::chrono::seconds kPassRenewal{1800};
// What Vault gives a token at most unless its operator says otherwise.
constexpr std::chrono::seconds kLongestPass{768 * 3600};

// [any] thread.
class PassOffice {
 public:
  // `role`: a token role with orphan=true, renewable=true, allowed_policies_glob=ocelot-repo-* and a
  // token_explicit_max_ttl that no build outlives.
  PassOffice(std::shared_ptr<VaultSession> session, VaultKv kv, std::string role);
  // A pass for this repository's secrets, wrapped for a minute: good for `renewal`, and with renewals for `whole`.
  // Throws Unavailable and Refused.
  std::string issue(const std::string& repo_id, std::chrono::seconds whole,
                    std::chrono::seconds renewal = kPassRenewal);

 private:
  void requirePolicy(const std::string& name, const std::string& repo_id);
  const std::shared_ptr<VaultSession> session_;
  const VaultKv kv_;
  const std::string role_;
};

struct UnwrappedPass {
  std::string token;
  std::chrono::seconds ttl{0};  // 0: without end
  bool renewable = false;       // how often, only a refused renewal tells
};
// Throws Unavailable and Refused.
UnwrappedPass unwrapPass(const VaultPlace& place, const std::string& wrapped);

// Secrets as the holder of the pass may see them; it is renewed as long as this lives, and stays good when this goes.
// find() throws Refused, saying so, once the pass has ended. `version` 0 cannot be asked with a pass.
std::unique_ptr<Secrets> openPass(const VaultPlace& place, VaultKv kv, const std::string& token, VaultLog log);

// Ends the pass; one that has ended already is no error. Throws Unavailable: then it ends by itself.
void revokePass(const VaultPlace& place, const std::string& token);

}  // namespace ocelot::secrets
