#pragma once
// The folder that stages start in.

#include <string>

#include "components/guest/user.hpp"

namespace ocelot::guest {

// Makes `path` (and what is missing above it) and gives it with all it holds to `user`, unless it is theirs or they are
// root. Links are not followed: an earlier stage may still be running. Other file systems mounted below are left alone.
// "" when it is done, otherwise what failed.
std::string giveWorkspace(const std::string& path, const User& user);

}  // namespace ocelot::guest
