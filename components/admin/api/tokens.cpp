#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"
#include "components/admin/auth.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::JsonWriter;
using http::Refusal;
using http::Request;

Answer list(Api& api) {
  JsonWriter out;
  out.object().key("tokens").array();
  for (const auto& token : api.engines.store->tokens()) write(out, token);
  out.end().end();
  return http::json(out.text());
}

Answer add(Api& api, const Request& request) {
  const Body body(request, {"name", "role", "expires_in_seconds"});
  store::Token token;
  token.id = model::newUuid().substr(0, 8);
  token.name = body.required("name", 100);
  token.role = body.required("role", 20);
  const auto role = http::roleFrom(token.role);
  if (!role || *role == http::Role::none)
    throw Refusal(422, "bad_role", "role `" + token.role + "` is not known", "admin, operator or viewer");
  token.created_at = api.engines.store->now();
  const std::int64_t life = body.number("expires_in_seconds", 0, 10ll * 365 * 86400, 0);
  if (life > 0) token.expires_at = token.created_at + life * 1000000;
  // 256 random bits: nothing that could be guessed.
  const std::string value = "oct_" + model::newClaimId() + model::newClaimId();
  token.sha256_hex = tokenHash(value);
  api.engines.store->addToken(token);
  JsonWriter out;
  write(out, token);
  std::string text = out.text();
  text.insert(text.size() - 1, ",\"value\":" + http::quoted(value));
  return http::json(text, 201);
}

Answer revoke(Api& api, const Request& request) {
  if (!api.engines.store->revokeToken(request.param("id")))
    refuse404("no_such_token", "there is no token " + request.param("id").substr(0, 64), {},
              "`ocelot token list` shows them");
  return http::nothing();
}

}  // namespace

void addTokenRoutes(http::Routes& routes, Api& api) {
  using http::Role;
  routes.get("/v1/tokens", Role::admin, [&api](const Request&) { return list(api); });
  routes.post("/v1/tokens", Role::admin, audited(api, "token.add", add));
  routes.del("/v1/tokens/{id}", Role::admin, audited(api, "token.revoke", revoke));
}

}  // namespace ocelot::admin
