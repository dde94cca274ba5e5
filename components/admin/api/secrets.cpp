#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::JsonWriter;
using http::Refusal;
using http::Request;

std::string prefixOf(const model::Repo& repo) { return "repo/" + repo.id + "/"; }

std::string nameIn(const Request& request) {
  const std::string name = request.param("secret");
  const auto good = [](char c, bool first) {
    return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (!first && c >= '0' && c <= '9');
  };
  bool fine = !name.empty() && name.size() <= 100;
  for (std::size_t i = 0; i < name.size(); ++i) fine = fine && good(name[i], i == 0);
  if (!fine)
    throw Refusal(422, "bad_name",
                  "a secret's name is a variable's name: letters, digits and _, not beginning with a digit");
  return name;
}

Answer list(Api& api, const Request& request) {
  const std::string prefix = prefixOf(repoOr404(api, request.param("name")));
  JsonWriter out;
  out.object().key("secrets").array();
  for (const auto& name : api.engines.secrets->names(prefix)) out.value(name.substr(prefix.size()));
  out.end().end();
  return http::json(out.text());
}

Answer put(Api& api, const Request& request) {
  const Body body(request, {"value"});
  const model::Repo repo = repoOr404(api, request.param("name"));
  api.engines.secrets->put(prefixOf(repo) + nameIn(request), body.required("value", 64 << 10));
  return http::nothing();
}

Answer remove(Api& api, const Request& request) {
  const model::Repo repo = repoOr404(api, request.param("name"));
  const std::string name = nameIn(request);
  if (!api.engines.secrets->remove(prefixOf(repo) + name))
    throw Refusal(404, "no_such_secret", repo.name + " has no secret " + name);
  return http::nothing();
}

}  // namespace

void addSecretRoutes(http::Routes& routes, Api& api) {
  using http::Role;
  routes.get("/v1/repos/{name}/secrets", Role::operate, with(api, list));
  routes.add({"PUT", "/v1/repos/{name}/secrets/{secret}", Role::operate, audited(api, "secret.set", put)});
  routes.del("/v1/repos/{name}/secrets/{secret}", Role::operate, audited(api, "secret.remove", remove));
}

}  // namespace ocelot::admin
