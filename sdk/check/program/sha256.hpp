#pragma once
// SHA-256 and HMAC (FIPS 180-4, RFC 2104) for the checker's own host, so that the SDK needs no library.

#include <string>
#include <string_view>

namespace ocelot::check {

std::string sha256(std::string_view data);  // 32 raw bytes
std::string hmacSha256(std::string_view key, std::string_view data);

}  // namespace ocelot::check
