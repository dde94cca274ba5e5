#pragma once
// How a build's process gets at the secrets that its ocelot.yml names: by a pass that an admin makes for the build,
// where vault.build_role says so, and this worker's own token opens no repository's secrets; else through this worker's
// desk.

#include <set>
#include <string>

#include "components/worker/settings.hpp"
#include "host/builddir/order.hpp"
#include "host/engines/engines.hpp"

namespace ocelot::worker {

// The names in `pipeline`, the text of an ocelot.yml; none when it cannot be read.
std::set<std::string> secretsNamed(const std::string& pipeline);

struct AccessNeeds {
  bool begun = false;     // the build waits for its secrets by itself: it is not asked whether they can be had now
  bool has_pass = false;  // no other is made
};
// Nothing for a build that names none. Throws secrets::Unavailable and secrets::Refused.
builddir::SecretsAccess secretsAccess(const config::Config& config, const Settings& settings, engines::Engines& engines,
                                      const store::ClaimedBuild& build, AccessNeeds needs);

}  // namespace ocelot::worker
