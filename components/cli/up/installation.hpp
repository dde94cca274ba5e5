#pragma once
// Where everything of this machine's Ocelot is: for `up`, and for the commands that work without a server.

#include <string>

#include "components/cli/command.hpp"
#include "host/config/config.hpp"

namespace ocelot::cli {

// Options of every command that needs it.
const std::vector<Option>& installationOptions();

struct Installation {
  std::string config_file;  // "" : there is none, the defaults hold
  std::string data_dir, run_dir;
  std::string programs;  // folder of the daemons
  config::Config config;

  // "--config F --set k=v …": what a daemon of this installation is started with.
  std::vector<std::string> daemonFlags() const;
  std::vector<std::string> overrides;  // key=value
};

// /var/lib/ocelot for root, else ~/.local/share/ocelot; server.yaml there, else /etc/ocelot/server.yaml. Throws
// config::Invalid with every mistake.
Installation installationFor(const Arguments& arguments);

}  // namespace ocelot::cli
