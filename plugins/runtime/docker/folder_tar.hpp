#pragma once
// A folder as a tar, by the system's tar: it knows owners, links, sparse files and extended attributes.

#include <cstddef>
#include <functional>
#include <string>

#include "ocelot/call.hpp"

namespace ocelot::docker {

// `put` takes the next bytes; false: nobody wants more, and the work ends without an error. Throws Error: cancelled,
// invalid (tar could not read something), unsupported (no tar here).
void writeFolder(Call& call, const std::string& folder, const std::function<bool(const char*, std::size_t)>& put);

}  // namespace ocelot::docker
