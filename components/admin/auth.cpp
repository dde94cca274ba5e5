#include "components/admin/auth.hpp"

#include "host/digest/digest.hpp"

namespace ocelot::admin {

std::string tokenHash(const std::string& token) { return digest::sha256Hex(token); }

http::Authenticator authenticatorFor(store::Store& store) {
  return [&store](const http::Request&, const std::string& text) -> std::optional<http::Identity> {
    const auto token = store.findToken(tokenHash(text));
    if (!token || (token->expires_at != 0 && token->expires_at <= store.now())) return std::nullopt;
    const auto role = http::roleFrom(token->role);
    if (!role) return std::nullopt;
    return http::Identity{token->id, token->name, *role};
  };
}

}  // namespace ocelot::admin
