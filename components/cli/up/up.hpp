#pragma once
// `ocelot up` and `ocelot down`: everything on this machine, with embedded engines.

#include "components/cli/command.hpp"

namespace ocelot::cli {

int up(const Arguments& arguments);
int down(const Arguments& arguments);

}  // namespace ocelot::cli
