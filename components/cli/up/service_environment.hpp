#pragma once
// The variables that the units of systemd give the daemons: a command that opens their engines needs them too, and sudo
// does not have them.

#include <map>
#include <string>

namespace ocelot::cli {

using Variables = std::map<std::string, std::string>;

// Of the daemons that read this server.yaml: /etc/default/ocelot for the one in /etc/ocelot, else `environment` beside
// it.
std::string environmentFileOf(const std::string& config_file);

// NAME=value lines as systemd reads them: blank lines and those that begin with # or ; are passed over, quotes around a
// value are not its. Empty when there is no file; throws Failure when it cannot be read.
Variables readEnvironmentFile(const std::string& path);

// Those of this process, and of that file what this process does not say itself.
Variables variablesFor(const std::string& config_file);

// Writes these, in place of lines that set the same; every other line stays as it is.
void setInEnvironmentFile(const std::string& path, const Variables& variables);

}  // namespace ocelot::cli
