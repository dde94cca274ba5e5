#pragma once
// What `ocelot doctor` finds: one line a thing that was looked at, with what to do about it.

#include <string>
#include <vector>

#include "components/cli/command.hpp"
#include "components/cli/up/installation.hpp"

namespace ocelot::cli {

enum class Health { ok, warn, fail };

struct Check {
  Health health = Health::ok;
  std::string what;    // "git"
  std::string found;   // "2.39.5", "not installed"
  std::string remedy;  // "" when ok
};
using Checks = std::vector<Check>;

// Each part adds its lines, in the order in which they are shown.
void checkPrograms(const Installation& installation, Checks& checks);  // ocelot's own
void checkTools(const Installation& installation, Checks& checks);     // git, crun, skopeo, …
void checkFolders(const Installation& installation, Checks& checks);   // data, run
void checkPlugins(const Installation& installation, Checks& checks);
void checkRuntimes(const Installation& installation, Checks& checks);
void checkServer(const Arguments& arguments, Checks& checks);  // the one that this context names

}  // namespace ocelot::cli
