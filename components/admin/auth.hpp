#pragma once
// Who a bearer token belongs to. Tokens are random, so a plain SHA-256 of one is as good as a slow hash.

#include <string>

#include "host/http/server.hpp"
#include "host/store/store.hpp"

namespace ocelot::admin {

std::string tokenHash(const std::string& token);
http::Authenticator authenticatorFor(store::Store& store);

}  // namespace ocelot::admin
