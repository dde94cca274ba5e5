#pragma once
// Copies git objects to files of their own: by reflink where the file system can, else byte by byte; never by a link.

#include <string>

namespace ocelot::git {

// Every pack and loose object of one objects folder into another. Throws std::system_error naming the file.
void copyObjects(const std::string& from, const std::string& to);

}  // namespace ocelot::git
