#pragma once
// The processes and folders of a test's world.

#include <sys/types.h>

#include <string>
#include <vector>

namespace ocelot::test {

std::vector<pid_t> allProcesses();
// It has a file open whose path begins so, and whose name is that one; "": any.
bool hasOpen(pid_t pid, const std::string& prefix, const std::string& name = "");
// The id of the build whose container has this process for its number 1; "" when it is none, or has ended.
std::string buildOfGuest(pid_t pid);
// What a path leads to; "" when it is no link, or gone.
std::string linkOf(const std::string& path);
// Adds "<what>: <path>" for each entry of the folder, if it is there.
void listFolder(const std::string& folder, const std::string& what, std::vector<std::string>& out);

}  // namespace ocelot::test
