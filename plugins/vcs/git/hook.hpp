#pragma once
// A signed push, as anybody can send it:
//
//   x-ocelot-signature-256: sha256=<HMAC-SHA256 of the raw body, keyed with hook_secret: 64 hex digits, lower case>
//   {"repo": "https://host/account/repo.git" or "account/repo", "branch": "main", "commit": "<40 or 64 hex digits>",
//    "before": "<the branch's head until then>" (optional)}

#include <string>

#include "ocelot/host.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::vcs_git {

// Throws Error(unauthenticated) with the same words whatever is wrong.
void checkSignature(Crypto& crypto, const std::string& secret, const Hook& hook);

struct PushHook {
  std::string repo, branch, commit, before;
};
// Throws Error(invalid) naming the field, and Error(ignored) for a branch that was removed.
PushHook readPush(const std::string& body);

}  // namespace ocelot::vcs_git
