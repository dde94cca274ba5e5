#pragma once
// Descriptors, and what came back when there is none.

#include <cerrno>
#include <cstring>
#include <string>

#include "host/process/fd.hpp"

namespace ocelot::guest {

using process::Fd;

// "No such file or directory".
inline std::string errorText(int error) { return std::strerror(error); }

}  // namespace ocelot::guest
