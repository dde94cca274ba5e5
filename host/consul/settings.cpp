#include "host/consul/consul.hpp"

namespace ocelot::consul {

ConsulSettings settingsFrom(const config::Config& config) {
  ConsulSettings settings;
  settings.url = config.text("consul.url");
  settings.ca_file = config.text("consul.ca");
  settings.token = config.secret("consul.token", {});
  settings.datacenter = config.text("consul.datacenter");
  settings.prefix = config.text("consul.prefix");
  return settings;
}

}  // namespace ocelot::consul
