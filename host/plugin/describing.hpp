#pragma once
// Reads what a plugin says about itself in the checker's JSON.

#include <string>

#include "host/plugin/description.hpp"

namespace ocelot::plugin {

// Throws Error(internal) for anything that the checker would not have written.
Description descriptionFrom(const std::string& json);

}  // namespace ocelot::plugin
