#pragma once
// `ocelot run`: a build of the working copy, here, without a server.

#include "components/cli/command.hpp"

namespace ocelot::cli {

int run(const Arguments& arguments);

}  // namespace ocelot::cli
