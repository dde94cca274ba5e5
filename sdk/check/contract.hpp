#pragma once
// What a plugin declares, held against the ABI: one sentence for every way of being wrong.

#include <string>
#include <vector>

#include "ocelot/abi/plugin.h"

namespace ocelot::check {

// Every fault of the descriptor, its option table and the tables that it gives out; empty when it may be used.
std::vector<std::string> faultsOf(const ocelot_plugin* plugin);

// The interfaces of ABI 1 that it offers: "ocelot.runtime/1", "ocelot.runtime.images/1", …
std::vector<std::string> interfacesOf(const ocelot_plugin& plugin);

// The sentence for a library without the symbol of this host's major; `majors` are those that it does have.
std::string wrongMajor(const std::vector<int>& majors);

// What it says about itself, as one JSON object. Only for one without faults.
std::string describe(const ocelot_plugin& plugin);

// A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string quoted(const std::string& text);

}  // namespace ocelot::check
