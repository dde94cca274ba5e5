#include "components/admin/auth.hpp"

#include <openssl/evp.h>

#include <array>

namespace ocelot::admin {

std::string tokenHash(const std::string& token) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = digest.size();
  EVP_Digest(token.data(), token.size(), digest.data(), &size, EVP_sha256(), nullptr);
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

http::Authenticator authenticatorFor(store::Store& store) {
  return [&store](const http::Request&, const std::string& text) -> std::optional<http::Identity> {
    try {
      const auto token = store.findToken(tokenHash(text));
      if (!token || (token->expires_at != 0 && token->expires_at <= store.now())) return std::nullopt;
      const auto role = http::roleFrom(token->role);
      if (!role) return std::nullopt;
      return http::Identity{token->id, token->name, *role};
    } catch (const store::Unavailable& away) {
      throw Error(Status::unavailable, std::string("look up the token: ") + away.what());
    }
  };
}

}  // namespace ocelot::admin
