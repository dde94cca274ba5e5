#pragma once
// `ocelot up` and `ocelot down`: everything on this machine, with embedded engines.

#include "components/cli/command.hpp"
#include "components/cli/up/installation.hpp"
#include "host/builddir/directory.hpp"

namespace ocelot::cli {

int up(const Arguments& arguments);
int down(const Arguments& arguments);

// Held, no `ocelot up` starts on this installation. Throws Failure while one runs.
builddir::Lock refuseWhileUp(const Installation& installation);

}  // namespace ocelot::cli
