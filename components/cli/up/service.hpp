#pragma once
// `ocelot up` as a service of systemd.

#include "components/cli/up/installation.hpp"

namespace ocelot::cli {

int installService(const Installation& installation);
// true: the service was there and has been stopped.
bool stopService();

}  // namespace ocelot::cli
