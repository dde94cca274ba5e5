#pragma once
// What an operator can tell the plugin; the table in README.md says the same.

#include "ocelot/abi/option.h"

namespace ocelot::docker {

inline constexpr ocelot_option kOptions[] = {
    {"socket", OCELOT_TEXT, 0, "/var/run/docker.sock", "where the engine listens: a path, or unix:///path"},
    {"network", OCELOT_TEXT, 0, "bridge", "the engine's network that builds with network: bridge are put in"},
    {"registry_mirror", OCELOT_TEXT, 0, nullptr, "HOST[:PORT][/PREFIX] that is asked for images of docker.io"},
    {"timeout", OCELOT_DURATION, 0, "30s",
     "how long the engine may take for one answer; pulling and waiting take longer"},
    {nullptr, 0, 0, nullptr, nullptr}};

}  // namespace ocelot::docker
