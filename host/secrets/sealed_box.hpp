#pragma once
// AES-256-GCM: version (1 byte) · nonce (12) · tag (16) · ciphertext. The name is associated data, so that a value
// moved to another name does not open.

#include <optional>
#include <string>
#include <string_view>

#include "host/secrets/key_file.hpp"

namespace ocelot::secrets {

std::string seal(const Key& key, std::string_view name, std::string_view value);
// nullopt: another key, another name, or changed bytes.
std::optional<std::string> unseal(const Key& key, std::string_view name, std::string_view box);

}  // namespace ocelot::secrets
