#include "host/secrets/vault_login.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "host/http/json.hpp"
#include "host/secrets/secrets.hpp"

namespace ocelot::secrets {
namespace {

constexpr std::size_t kLongestCredential = 16 << 10;
constexpr std::int64_t kLongestTtl = 10LL * 365 * 86400;

[[noreturn]] void loginRefused(const VaultHttp& http, const std::string& tried, const std::string& came_back) {
  throw LoginRefused(tried + ": Vault at " + http.url() + ": " + came_back);
}

std::string fileText(const std::string& path, const std::string& what) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text(kLongestCredential + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in && !in.eof())
    throw Unavailable("log in to Vault: read " + what + " from " + path + ": " + std::strerror(errno ? errno : EIO));
  text.resize(static_cast<std::size_t>(in.gcount()));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.empty() || text.size() > kLongestCredential)
    throw Unavailable("log in to Vault: read " + what + " from " + path + ": " +
                      (text.empty() ? "it is empty" : "it is longer than 16 KiB"));
  return text;
}

std::chrono::seconds secondsOf(const http::JsonView& value) {
  const auto told = value.number().value_or(0);
  return std::chrono::seconds(told < 0 ? 0 : std::min(told, kLongestTtl));
}

OwnToken grantedBy(VaultHttp& http, const VaultReply& reply, const std::string& tried) {
  const auto auth = reply.body["auth"];
  const auto token = auth["client_token"].text();
  if (!token || token->empty()) vaultFailed(http, tried, "the answer holds no token");
  return {*token, secondsOf(auth["lease_duration"]), auth["renewable"].flag().value_or(false)};
}

OwnToken present(VaultHttp& http, const VaultAuth& auth) {
  const bool from_file = auth.token.empty();
  const std::string token = from_file ? fileText(auth.token_file, "the token") : auth.token;
  const auto reply = http.send(token, {"GET", "auth/token/lookup-self", "", ""});
  if (reply.status != 200)
    loginRefused(http, "use the token of " + std::string(from_file ? auth.token_file : "vault.token"),
                 said(reply) + ": it has ended or was revoked; put a new one there");
  const auto data = reply.body["data"];
  std::chrono::seconds ttl = secondsOf(data["ttl"]);
  // A token in its last second has 0 seconds left, as has one without end.
  if (ttl == ttl.zero() && data["expire_time"].text()) ttl = std::chrono::seconds(1);
  return {token, ttl, data["renewable"].flag().value_or(false)};
}

}  // namespace

OwnToken login(VaultHttp& http, const VaultAuth& auth) {
  if (auth.method == "token") return present(http, auth);
  http::JsonWriter body;
  if (auth.method == "approle") {
    body.object().field("role_id", auth.role_id);
    body.field("secret_id", fileText(auth.secret_id_file, "the secret id")).end();
  } else {
    body.object().field("role", auth.role);
    body.field("jwt", fileText(auth.jwt_file, "the service account's token")).end();
  }
  const std::string path = "auth/" + (auth.mount.empty() ? auth.method : auth.mount) + "/login";
  const std::string tried = "log in at " + path;
  const auto reply = http.send("", {"POST", path, body.text(), ""});
  if (reply.status != 200)
    loginRefused(http, tried,
                 said(reply) + (auth.method == "approle"
                                    ? ": check vault.role_id, and put a new secret id into " + auth.secret_id_file
                                    : ": check vault.role, and what the role asks of the service account"));
  return grantedBy(http, reply, tried);
}

OwnToken renew(VaultHttp& http, const OwnToken& own) {
  const std::string tried = "renew Ocelot's token";
  const auto reply = http.send(own.token, {"POST", "auth/token/renew-self", "{}", ""});
  if (reply.status != 200) vaultFailed(http, tried, said(reply));
  OwnToken renewed = grantedBy(http, reply, tried);
  renewed.token = own.token;
  return renewed;
}

}  // namespace ocelot::secrets
