#pragma once
// Empties a folder that a build, as root of its container, has filled: names, depth and modes may be hostile.

#include <string>

namespace ocelot::docker {

// Removes what is below `folder`, following no link, with a bounded number of descriptors however deep it goes. True
// when it is empty now, or is not there; false when something belongs to somebody else.
bool emptyFolder(const std::string& folder);

}  // namespace ocelot::docker
