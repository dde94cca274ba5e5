#pragma once
// Stream sockets in the file system, for the processes of one worker. A socket's address holds 107 bytes of path and
// folders may be deeper, so a folder is named by descriptor.

#include <string>

#include "host/process/fd.hpp"

namespace ocelot::worker {

// Listens as `name` in the folder, which must exist; what lay there before goes away. Does not block. Throws
// std::system_error.
process::Fd listenIn(const std::string& folder, const char* name);
// Throws std::system_error when nobody listens there.
process::Fd connectTo(const std::string& path);

}  // namespace ocelot::worker
