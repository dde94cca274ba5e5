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

// [any] thread.
class Secrets {
 public:
  virtual ~Secrets() = default;
  virtual std::optional<std::string> find(const std::string& name) = 0;
  virtual void put(const std::string& name, const std::string& value) = 0;  // at most 64 KiB
  virtual bool remove(const std::string& name) = 0;
  virtual std::vector<std::string> names(const std::string& prefix) = 0;
};

// The stand-in: values encrypted (AES-256-GCM, the name as associated data) with the key in `key_file` (32 bytes, 0600,
// made on first use), kept in the store.
std::unique_ptr<Secrets> openStoreSecrets(store::Store& store, const std::string& key_file);

}  // namespace ocelot::secrets
