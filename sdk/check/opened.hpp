#pragma once
// A plugin loaded by the checker itself, without the host's loader: that of a stranger's machine has no Boost.

#include <string>
#include <vector>

#include "ocelot/abi/plugin.h"

namespace ocelot::check {

// The majors, from 1 to 9, of which `handle` exports a descriptor.
std::vector<int> majorsOf(void* handle);

// Loads and checks everything but the path. Throws Error(invalid) with the sentences, one a line. Never unloads.
const ocelot_plugin& open(const std::string& path);

// What the loader said, without what misleads: "libfoo.so.1, which it needs, was not found".
std::string loaderMessage(const std::string& said);

}  // namespace ocelot::check
