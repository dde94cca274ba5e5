#include "components/admin/api/api.hpp"

namespace ocelot::admin {

using http::Refusal;

http::Routes apiRoutes(Api& api) {
  http::Routes routes;
  addAuditRoutes(routes, api);
  addBuildRoutes(routes, api);
  addLogRoutes(routes, api);
  addRepoRoutes(routes, api);
  addSecretRoutes(routes, api);
  addPassRoutes(routes, api);
  addTokenRoutes(routes, api);
  addWorkerRoutes(routes, api);
  addServerRoutes(routes, api);
  return routes;
}

model::Build buildOr404(Api& api, const std::string& id_or_number) {
  if (id_or_number.size() <= 36)
    if (auto build = api.engines.store->findBuild(id_or_number)) return *build;
  throw Refusal(404, "no_such_build", "there is no build " + id_or_number.substr(0, 64),
                "`ocelot list` shows the latest; give a number, an id, or the id's first eight digits");
}

model::Repo repoOr404(Api& api, const std::string& name) {
  if (auto repo = api.engines.store->findRepo(name)) return *repo;
  std::string known;
  for (const auto& repo : api.engines.store->repos()) known += (known.empty() ? "" : ", ") + repo.name;
  throw Refusal(404, "no_such_repo", "repository " + name.substr(0, 200) + " is not known to Ocelot",
                known.empty() ? "add it with `ocelot repos add URL`" : "known are: " + known.substr(0, 500));
}

}  // namespace ocelot::admin
