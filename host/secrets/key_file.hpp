#pragma once
// The key that the secrets of a store are encrypted with: 32 random bytes in a file that only its owner reads.

#include <array>
#include <optional>
#include <string>

namespace ocelot::secrets {

using Key = std::array<unsigned char, 32>;

// nullopt: there is no such file. Throws Unavailable when it cannot be read, is no key, or may be read by others.
std::optional<Key> readKeyIfPresent(const std::string& path);

// Makes the file, whole or not at all. When another process was quicker, its key is returned.
Key makeKey(const std::string& path);

}  // namespace ocelot::secrets
