#pragma once
// Whose password opens which registry: kept in the secret store by the registry's name, "user:password", and handed to
// the one build that needs it. It opens the registry for every repository of the installation.

#include <string>
#include <string_view>

#include "host/builddir/order.hpp"
#include "host/secrets/secrets.hpp"

namespace ocelot::runtimes {

inline constexpr const char* kRegistrySecrets = "registry/";

// "registry.example.org:5000" → "registry/registry.example.org_5000": a secret's name holds no colon, and a host's no
// underscore. Throws std::invalid_argument for what is no registry.
std::string registrySecret(std::string_view registry);
// And back.
std::string registryOfSecret(std::string_view name);

// Throws std::invalid_argument, without a part of the value in it, unless it is "user:password".
builddir::RegistryAccess registryAccessFrom(std::string_view value);

// What opens the registry of this image, when that is known. Throws secrets::Unavailable.
builddir::RegistryAccess registryAccess(secrets::Secrets& secrets, const std::string& image);

}  // namespace ocelot::runtimes
