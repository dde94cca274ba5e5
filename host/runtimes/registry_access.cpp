#include "host/runtimes/registry_access.hpp"

#include <algorithm>
#include <stdexcept>

#include "host/pipeline/image_reference.hpp"

namespace ocelot::runtimes {

std::string registrySecret(std::string_view registry) {
  const std::string image = std::string(registry) + "/image";
  const std::string fault = pipeline::imageReferenceFault(image);
  const bool name = registry.find_first_of("/@[") == std::string_view::npos &&
                    (registry.find_first_of(".:") != std::string_view::npos || registry == "localhost");
  if (!fault.empty() || !name)
    throw std::invalid_argument("\"" + std::string(registry.substr(0, 100)) +
                                "\" is not a registry: write HOST or HOST:PORT, as it stands in `image`");
  std::string host = pipeline::registryOf(image);
  std::replace(host.begin(), host.end(), ':', '_');
  return kRegistrySecrets + host;
}

std::string registryOfSecret(std::string_view name) {
  std::string host(name.substr(std::string_view(kRegistrySecrets).size()));
  std::replace(host.begin(), host.end(), '_', ':');
  return host;
}

builddir::RegistryAccess registryAccessFrom(std::string_view value) {
  const auto colon = value.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == value.size() ||
      std::any_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    throw std::invalid_argument("a registry's credential is one line, USER:PASSWORD");
  return {std::string(value.substr(0, colon)), std::string(value.substr(colon + 1))};
}

builddir::RegistryAccess registryAccess(secrets::Secrets& secrets, const std::string& image) {
  const std::string registry = pipeline::registryOf(image);
  if (registry.find('[') != std::string::npos) return {};  // an IPv6 address: none can be set for it
  const auto value = secrets.find(registrySecret(registry));
  return value ? registryAccessFrom(*value) : builddir::RegistryAccess{};
}

}  // namespace ocelot::runtimes
