#pragma once
// The secrets of a build, by a pass that an admin makes for it: where vault.build_role says so, this worker's own token
// opens no repository's secrets.

#include <map>
#include <string>

#include "host/config/config.hpp"
#include "host/store/store.hpp"

namespace ocelot::worker {

// Name → value, of the repository `repo_id`. Throws secrets::Unavailable and secrets::Refused.
std::map<std::string, std::string> secretsByPass(const config::Config& config, const store::ClaimedBuild& build,
                                                 const std::string& repo_id);

}  // namespace ocelot::worker
