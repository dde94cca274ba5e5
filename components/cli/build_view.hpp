#pragma once
// A build as people read it: its state, its stages, and what to look at when it is red.

#include <string>

#include "components/cli/server.hpp"

namespace ocelot::cli {

std::string shortCommit(const std::string& commit);
// "#12 acme/app main 3f2a1c9".
std::string titleOf(const Json& build);
// Everything that `ocelot status` says.
std::string describe(const Json& build);
// The end of a followed build: one line when it passed; else stage, command, exit code, ocelot.yml:LINE, the last lines
// of that stage and how to go on.
std::string ending(Server& server, const Json& build);
int exitStatusOf(const std::string& state);

}  // namespace ocelot::cli
