#pragma once
// The commands, by file.

#include <vector>

#include "components/cli/command.hpp"

namespace ocelot::cli {

std::vector<Command> addBuildCommands();   // build, logs, status, list, kill, rerun
std::vector<Command> addServerCommands();  // up, down, login, version
std::vector<Command> addRepoCommands();    // repos, poll, secret
std::vector<Command> addLocalCommands();   // init, validate, run, doctor, image, completion
std::vector<Command> addAdminCommands();   // token, workers, plugins, config, backup, restore

}  // namespace ocelot::cli
