#pragma once
// Another machine becomes a worker: `ocelot workers add` where the installation is, `ocelot workers join` on the new
// one.

#include "components/cli/command.hpp"

namespace ocelot::cli {

int addWorker(const Arguments& arguments);
int joinAsWorker(const Arguments& arguments);

}  // namespace ocelot::cli
