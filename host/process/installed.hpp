#pragma once
// Where the programs of one installation find each other.

#include <string>

namespace ocelot::process {

// The program of this name that belongs to those in `folder`: beside them, or in ../lib/ocelot, where what is no
// program for people lies when everything is installed. "" when it is in neither.
std::string installedProgram(const std::string& folder, const std::string& name);

}  // namespace ocelot::process
