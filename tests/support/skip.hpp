#pragma once
// A test that cannot run here says so and why; the closing summary repeats it. Nothing is skipped silently.

#include <string>

namespace ocelot::test {

// Ends the running test as skipped.
[[noreturn]] void skip(const std::string& why);

}  // namespace ocelot::test
