// A pass for the secrets of a build that a worker has claimed.

#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"
#include "host/http/json.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::Refusal;
using http::Request;

constexpr std::int64_t kShortest = 60;

// How long the build may want its secrets, with renewals, at most: the worker knows its time-out. One of the version
// before does not say, and reads all at once.
std::chrono::seconds wholeLife(const Request& request) {
  if (request.body.empty()) return secrets::kPassRenewal;
  const std::int64_t longest = secrets::kLongestPass.count();
  return std::chrono::seconds(Body(request, {"seconds"}).number("seconds", kShortest, longest, longest));
}

bool holds(Api& api, const model::Build& build, const std::string& claim_id) {
  store::Claim claim;
  claim.build_id = build.id;
  claim.claim_id = claim_id;
  return api.engines.store->holds(claim);
}

Answer issue(Api& api, const Request& request) {
  const auto whole = wholeLife(request);
  const std::string header = request.header("authorization"), scheme = "Bearer ";
  if (header.compare(0, scheme.size(), scheme) != 0)
    throw Refusal(401, "unauthorized", "the claim's id is needed", "send \"Authorization: Bearer CLAIM\"");
  if (!api.passes)
    throw Refusal(404, "no_passes", "this admin makes no passes",
                  "set secrets.kind: vault and vault.build_role for it, as for the worker");
  const auto build = api.engines.store->findBuild(request.param("id"));
  // One answer for all that is wrong: it tells nobody which builds there are.
  if (!build || build->state != model::BuildState::running || !holds(api, *build, header.substr(scheme.size())))
    throw Refusal(403, "not_yours", "this claim holds no running build of that id");
  const auto repo = api.engines.store->findRepo(build->repo);
  if (!repo) throw Refusal(404, "no_such_repo", "repository " + build->repo + " is not known any more");
  http::JsonWriter out;
  out.object().field("pass", api.passes->issue(repo->id, whole)).end();
  Answer answer = http::json(out.text());
  answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
}

}  // namespace

void addPassRoutes(http::Routes& routes, Api& api) {
  // Open: a worker has no token of ours; the claim's id in its place, 128 random bits that the store gave to it alone,
  // says who it is.
  routes.add({"POST", "/v1/builds/{id}/secrets-pass", http::Role::none, with(api, issue), 4 << 10});
}

}  // namespace ocelot::admin
