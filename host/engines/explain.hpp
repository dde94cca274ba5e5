#pragma once
// What an HTTP client is told when an engine is away, or when what it wants contradicts the books.

#include <exception>
#include <optional>

#include "host/http/message.hpp"

namespace ocelot::engines {

// For http::ServerHooks::explain: 503 with Retry-After for an engine that is away, 409 for a conflict, 502 for
// a secret store that refuses; nullopt: not an
// engine's.
std::optional<http::Answer> explain(const std::exception& error);

}  // namespace ocelot::engines
