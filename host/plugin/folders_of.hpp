#pragma once
// Where this installation's plugins lie.

#include <string>
#include <vector>

#include "host/config/config.hpp"

namespace ocelot::plugin {

// plugins.folders as configured, and behind them the folder that came with this program.
std::vector<std::string> foldersOf(const config::Config& config);

}  // namespace ocelot::plugin
