#pragma once
// What git sees of the world: its configuration, its environment, and the credentials of one repository.

#include <map>
#include <string>

#include "ocelot/vcs.hpp"
#include "words.hpp"

namespace ocelot::vcs_git {

// Takes the place of the system's and the user's configuration.
std::string configurationFor(const Url& url, const CloneAccess& access);
std::map<std::string, std::string> plainEnvironment(const Url& url);
// On top of it, for commands that talk to the remote.
std::map<std::string, std::string> credentialEnvironment(const Url& url, const CloneAccess& access,
                                                         const std::string& key_file, const std::string& hosts_file);

}  // namespace ocelot::vcs_git
