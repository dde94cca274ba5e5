#pragma once
// The container runtimes of the configuration, each as what another process needs to load it.

#include <vector>

#include "host/builddir/order.hpp"
#include "host/config/config.hpp"

namespace ocelot::runtimes {

// In order of preference. A plugin is described by a child process and not loaded here. Throws Error(not_found,
// invalid) or config::Invalid.
std::vector<builddir::RuntimeChoice> choicesOf(const config::Config& config, const config::Resolver& resolve);

}  // namespace ocelot::runtimes
