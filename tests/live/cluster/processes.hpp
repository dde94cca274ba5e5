#pragma once
// The processes of the test's world.

#include <sys/types.h>

#include <string>
#include <vector>

namespace ocelot::test {

std::vector<pid_t> allProcesses();
// The id of the build whose container has this process for its number 1; "" when it is none, or has ended.
std::string buildOfGuest(pid_t pid);

}  // namespace ocelot::test
