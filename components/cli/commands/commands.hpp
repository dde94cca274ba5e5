#pragma once
// The commands, by file.

#include <vector>

#include "components/cli/command.hpp"

namespace ocelot::cli {

std::vector<Command> addBuildCommands();    // build, logs, status, list, kill, rerun
std::vector<Command> addLocalCommands();    // run, init, validate, schema
std::vector<Command> addServerCommands();   // up, down, login, version
std::vector<Command> addDoctorCommand();    // doctor
std::vector<Command> addContextCommands();  // context
std::vector<Command> addRepoCommands();     // repos, poll
std::vector<Command> addSecretCommands();   // secret
std::vector<Command> addImageCommands();    // image
std::vector<Command> addWorkerCommands();   // workers
std::vector<Command> addAdminCommands();    // token, plugins, config
std::vector<Command> addBackupCommands();   // backup, restore
std::vector<Command> addMigrateCommands();  // migrate
std::vector<Command> addHelpCommands();     // help, completion

}  // namespace ocelot::cli
