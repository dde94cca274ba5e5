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
  // Makes data_dir and run_dir where they are missing, for their owner alone.
  void makeFolders() const;
  // A program of this installation, "ocelot-worker"; "" when it is not there. They lie beside each other, and the guest
  // in ../lib/ocelot where everything is installed.
  std::string findProgram(const std::string& name) const;
};

// A listening address as a client on this machine reaches it: "0.0.0.0:7700" → "127.0.0.1:7700".
std::string fromHere(const std::string& listen);

// Whose variables count: only this process's, or also those that systemd gives the daemons (service_environment.hpp).
enum class VariablesOf { process, services };

// /var/lib/ocelot for root, else ~/.local/share/ocelot; server.yaml there, else /etc/ocelot/server.yaml. Throws
// config::Invalid with every mistake. With --port N the daemons listen on N and the three ports after it.
Installation installationFor(const Arguments& arguments, VariablesOf variables = VariablesOf::process);

}  // namespace ocelot::cli
