#include "components/hookhandler/signature.hpp"

#include "host/digest/digest.hpp"

namespace ocelot::hookhandler {

bool signedBy(const std::string& secret, const std::string& body, const std::string& header) {
  return !secret.empty() && digest::equal(header, "sha256=" + digest::hmacSha256Hex(secret, body));
}

}  // namespace ocelot::hookhandler
