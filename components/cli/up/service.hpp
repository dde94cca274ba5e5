#pragma once
// `ocelot up` as a service of systemd, and systemd itself.

#include <string>
#include <vector>

#include "components/cli/up/installation.hpp"
#include "host/process/process.hpp"

namespace ocelot::cli {

int installService(const Installation& installation);
// true: the service was there and has been stopped.
bool stopService();

bool runsSystemd();
// Of the system for root, of their own for everybody else.
process::Result systemctl(std::vector<std::string> arguments);

}  // namespace ocelot::cli
