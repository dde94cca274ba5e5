#pragma once
// Passwords, keys and tokens by name. Names are paths: "repo/<repo id>/<NAME>" for builds, "system/<what>" for Ocelot's
// own.

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/store/store.hpp"

namespace ocelot::secrets {

// The secret store is away or sealed: wait, never go on without the secret.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The same, as the secret store does not let us in: whoever starts gives up, whoever runs waits for somebody to mend
// it.
class LoginRefused : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

// The secret store is well and says no, or holds what is no secret of ours: somebody has to mend that.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// [any] thread. Each call may throw the two, and std::invalid_argument for what is no name or too long.
class Secrets {
 public:
  virtual ~Secrets() = default;
  virtual std::optional<std::string> find(const std::string& name) = 0;
  virtual void put(const std::string& name, const std::string& value) = 0;  // at most 64 KiB
  virtual bool remove(const std::string& name) = 0;
  // Puts the value unless there is one by now; false: there is one, and nothing changed.
  virtual bool add(const std::string& name, const std::string& value) = 0;
  virtual std::vector<std::string> names(const std::string& prefix) = 0;
  // Why secrets cannot be had now, "" when they can: for /readyz. Asks the engine, within a few seconds. Never throws.
  virtual std::string whyAway() = 0;
};

// The stand-in: values encrypted (AES-256-GCM, the name as associated data) with the key in `key_file` (32 bytes, 0600,
// made on first use), kept in the store.
std::unique_ptr<Secrets> openStoreSecrets(store::Store& store, const std::string& key_file);

}  // namespace ocelot::secrets
