#include "ocelot/plugin.hpp"

#include "git.hpp"
#include "options.hpp"

using ocelot::vcs_git::Git;
using ocelot::vcs_git::kOptions;

OCELOT_VCS_PLUGIN(Git, "org.ocelot.vcs.git", OCELOT_VERSION, "Any git repository by URL or local path", kOptions)
