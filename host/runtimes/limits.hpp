#pragma once
// What the configuration lets one build take on this machine.

#include "host/builddir/order.hpp"
#include "host/config/config.hpp"

namespace ocelot::runtimes {

builddir::BuildLimits limitsOf(const config::Config& config);

}  // namespace ocelot::runtimes
