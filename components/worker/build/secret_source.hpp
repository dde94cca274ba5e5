#pragma once
// Where one build's secrets come from, each when it is asked for: given by a person (`ocelot run`), read from Vault
// with the build's own pass, or asked of the worker (secret_desk.hpp).
//
// The pass is the build's as long as it lives: it lies in the build's folder in memory, 0600, where no container sees
// it, so that a successor goes on with it, and is renewed by whichever process holds the build. endPass() ends it.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/builddir/directory.hpp"
#include "host/builddir/order.hpp"
#include "host/secrets/build_pass.hpp"

namespace ocelot::worker {

// [any] thread.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  // nullopt: there is none. Throws secrets::Unavailable: ask again later; any other exception: it is not to be had.
  virtual std::optional<std::string> find(const std::string& name) = 0;
  virtual std::string place(const std::string& name) const = 0;  // for messages: "secret repo/1/TOKEN"
  virtual void stop() {}                                         // who waits in find() gives up
};

// Takes the pass out of its wrapping where there is one. `say`: what a reader of the build's log should know. Throws
// secrets::Unavailable and secrets::Refused.
std::unique_ptr<SecretSource> sourceOf(const builddir::Envelope& envelope, const builddir::Directory& directory,
                                       const std::string& build_id, std::int64_t timeout_ms,
                                       const std::function<void(const std::string&)>& say);

// Revokes the pass that lies in the directory, if there is one, and removes it: the build's process when the build has
// ended, and the worker before the directory goes. What fails is said on standard error, and the pass left to the next
// who tries, or to end by itself. Safe twice.
void endPass(const secrets::VaultPlace& place, const builddir::Directory& directory);
secrets::VaultPlace vaultOf(const builddir::SecretsAccess& access);

}  // namespace ocelot::worker
