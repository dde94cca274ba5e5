#pragma once
// What of this installation a new worker needs.

#include <cstdint>
#include <string>
#include <vector>

#include "components/cli/join/bundle.hpp"
#include "host/config/config.hpp"

namespace ocelot::cli {

struct NewWorker {
  std::string name;
  std::vector<std::string> tags;
  std::int64_t slots = 0;  // 0: one per core
};

struct Gathered {
  Bundle bundle;
  std::vector<std::string> hints;  // sentences that whoever adds it should know
};

// Throws Failure, with what to do, where another machine could not work with this configuration: a store or an engine
// that only this machine reaches, an admin that it could not ask, a file that is not there. What --set says is taken as
// meant.
Gathered gather(const config::Config& config, const NewWorker& worker);

}  // namespace ocelot::cli
