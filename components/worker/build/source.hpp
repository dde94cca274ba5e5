#pragma once
// The build's source, laid out in its workspace: a commit from the worker's git mirror, or a copy of a folder.

#include <functional>
#include <string>
#include <vector>

#include "host/builddir/order.hpp"
#include "host/pipeline/pipeline.hpp"
#include "ocelot/call.hpp"

namespace ocelot::worker {

struct SourcePlace {
  std::string workspace;                 // made anew
  std::string mirrors;                   // folder of git mirrors
  std::vector<std::string> local_repos;  // folders below which local-path repositories may lie
};

// `tell` gets sentences for the build's log. Throws Error: not_found (no such commit), unavailable, invalid.
void checkOutSource(Call& call, const builddir::Order& order, const pipeline::Clone& clone,
                    const builddir::CloneAccess& access, const SourcePlace& place,
                    const std::function<void(const std::string&)>& tell);

// Removes what checkOutSource() made and the runtime did not take away.
void removeWorkspace(const std::string& workspace);

}  // namespace ocelot::worker
