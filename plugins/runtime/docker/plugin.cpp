#include "ocelot/plugin.hpp"

#include "docker.hpp"
#include "options.hpp"

using ocelot::docker::Docker;
using ocelot::docker::kOptions;

OCELOT_RUNTIME_PLUGIN(Docker, "org.ocelot.runtime.docker", OCELOT_VERSION, "Builds in containers of a Docker Engine",
                      kOptions)
