#pragma once
// A test in a world of its own: namespaces for processes, network and mounts, in which it runs itself again. Whatever
// it starts there, under whatever name or address, meets nothing of this machine's, and ends with it, also when the
// test is killed.

#include <functional>
#include <string>
#include <vector>

namespace ocelot::test {

// Runs the body in a new world; `test` is the name by which this program finds the test again. What the engines need
// that Debian does not have is built before, as the new world's network leads nowhere.
void inOwnWorld(const std::string& test, const std::vector<std::string>& engines, const std::function<void()>& body);

// A line about how the test goes, for who watches it (OCELOT_TEST_VERBOSE).
void note(const std::string& text);

}  // namespace ocelot::test
