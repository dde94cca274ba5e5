#pragma once
// Every secret from one place to another, for an installation that moves.

#include <cstdint>

#include "host/secrets/secrets.hpp"

namespace ocelot::secrets {

// Puts what differs, and reads each back. Returns how many there are. Throws what the two throw, and Unavailable when
// something else is read back than was put; begun again, it goes on.
std::int64_t copySecrets(Secrets& from, Secrets& to);

}  // namespace ocelot::secrets
