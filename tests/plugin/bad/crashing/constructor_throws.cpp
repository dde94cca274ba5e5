// Throws before main, so to speak.
// expect: it crashes while it is loaded (signal 6
#include "bad.h"

#include <stdexcept>

namespace {
struct Thrower {
  Thrower() { throw std::runtime_error("thrown by a static constructor"); }
};
const Thrower kThrower;
}  // namespace
PLUGIN_WITH_QUERY(goodQuery)
