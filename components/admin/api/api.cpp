#include "components/admin/api/api.hpp"

#include <algorithm>

namespace ocelot::admin {

using http::Refusal;

constexpr std::size_t kMostNamed = 20;

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

http::Handler with(Api& api, Action action) {
  return [&api, action](const http::Request& request) { return action(api, request); };
}

void refuse404(const std::string& error, const std::string& sentence, const std::vector<std::string>& there_are,
               const std::string& when_none) {
  if (there_are.empty()) throw Refusal(404, error, sentence, when_none);
  std::string names;
  std::size_t named = 0;
  for (const auto& name : there_are) {
    if (++named > kMostNamed) break;
    names += (named == 1 ? "" : ", ") + name;
  }
  if (there_are.size() > kMostNamed) names += ", and " + std::to_string(there_are.size() - kMostNamed) + " more";
  throw Refusal(404, error, sentence, "there are: " + names.substr(0, 2000));
}

void onlyParameters(const http::Request& request, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string names;
    for (const auto one : known) (names += names.empty() ? "" : ", ") += one;
    throw Refusal(400, "unknown_parameter", "there is no parameter `" + name.substr(0, 64) + "` here",
                  "there are: " + names);
  }
}

model::Build buildOr404(Api& api, const std::string& id_or_number) {
  if (id_or_number.size() <= 36)
    if (auto build = api.engines.store->findBuild(id_or_number)) return *build;
  throw Refusal(404, "no_such_build", "there is no build " + id_or_number.substr(0, 64),
                "`ocelot list` shows the latest; give a number, an id, or the id's first eight digits");
}

model::Repo repoOr404(Api& api, const std::string& name) {
  if (auto repo = api.engines.store->findRepo(name)) return *repo;
  std::vector<std::string> known;
  for (const auto& repo : api.engines.store->repos()) known.push_back(repo.name);
  refuse404("no_such_repo", "repository " + name.substr(0, 200) + " is not known to Ocelot", known,
            "add it with `ocelot repos add URL`");
}

}  // namespace ocelot::admin
