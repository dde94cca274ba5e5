#pragma once
// The signature of a generic push: X-Ocelot-Signature-256: sha256=<64 hex digits>, HMAC-SHA256 of the raw body under
// the repository's hook secret.

#include <string>

namespace ocelot::hookhandler {

// In constant time for any header of the right length. An empty secret matches nothing.
bool signedBy(const std::string& secret, const std::string& body, const std::string& header);

}  // namespace ocelot::hookhandler
