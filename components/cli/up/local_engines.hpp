#pragma once
// The engines of this machine's installation, for commands that must work while no daemon runs.

#include <string>

#include "components/cli/up/installation.hpp"
#include "host/engines/engines.hpp"

namespace ocelot::cli {

class LocalEngines {
 public:
  // Throws what engines::open does.
  explicit LocalEngines(const Installation& installation);

  secrets::Secrets& secrets() { return *engines_.secrets; }
  std::string where() const;  // for messages

 private:
  const std::string kind_;
  engines::Engines engines_;
};

// Becomes the owner of this folder, where we are root and it is somebody else's, for the rest of the process: what a
// command makes there is then the daemons' to read. Throws Failure.
void becomeOwnerOf(const std::string& folder);

}  // namespace ocelot::cli
