#pragma once
// A copy of somebody's working copy, for `ocelot run`.

#include <string>

#include "ocelot/call.hpp"

namespace ocelot::worker {

// Of a git working copy: what git tracks, what it would track, and .git itself; ignored files stay out. Of any other
// folder: everything. Symbolic links are copied as such. Throws Error.
void copyFolder(Call& call, const std::string& from, const std::string& to);

}  // namespace ocelot::worker
