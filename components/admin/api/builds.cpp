#include <sstream>

#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"
#include "components/admin/waiting.hpp"
#include "host/trigger/change_json.hpp"
#include "host/trigger/trigger.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::JsonWriter;
using http::Refusal;
using http::Request;

Answer buildAnswer(Api& api, const model::Build& build, int status = 200) {
  JsonWriter out;
  write(out, build, true, whyWaiting(*api.engines.store, *api.engines.discovery, build));
  return http::json(out.text(), status);
}

Answer list(Api& api, const Request& request) {
  onlyParameters(request, {"repo", "branch", "commit", "state", "limit", "before"});
  store::BuildFilter filter;
  filter.repo = request.queryText("repo");
  filter.branch = request.queryText("branch");
  filter.commit_prefix = request.queryText("commit");
  const std::int64_t limit = request.queryNumber("limit").value_or(50);
  filter.before_number = request.queryNumber("before").value_or(0);
  if (limit < 1 || limit > 500) throw Refusal(400, "bad_number", "limit must lie between 1 and 500");
  filter.limit = static_cast<int>(limit);
  std::istringstream states(request.queryText("state"));
  for (std::string word; std::getline(states, word, ',');) {
    const auto state = model::buildStateFrom(word);
    if (!state)
      throw Refusal(400, "bad_state", "state `" + word + "` is not known",
                    "queued, running, passed, failed, timed_out, canceled, error or rejected");
    filter.states.push_back(*state);
  }
  const auto builds = api.engines.store->builds(filter);
  JsonWriter out;
  out.object().key("builds").array();
  for (const auto& build : builds) write(out, build, false);
  out.end();
  if (static_cast<int>(builds.size()) == filter.limit) out.field("next", builds.back().number);
  out.end();
  return http::json(out.text());
}

// What the repository says at the wanted commit, as a request to build it.
trigger::Request requestFor(Api& api, const model::Repo& repo, const std::string& branch, const std::string& commit) {
  trigger::Request request;
  request.repo = repo;
  SimpleCall call(std::chrono::milliseconds(120000));
  const Repo at{repo.name, repo.url};
  std::string wanted = commit;
  std::string on = branch;
  if (wanted.empty()) {
    const auto heads = api.providers.heads(call, repo.vcs, at);
    if (on.empty())
      for (const char* usual : {"main", "master"})
        for (const auto& head : heads)
          if (on.empty() && head.branch == usual) on = usual;
    if (on.empty() && heads.size() == 1) on = heads.front().branch;
    if (on.empty())
      throw Refusal(422, "which_branch", repo.name + " has neither a branch main nor master", "name the branch");
    for (const auto& head : heads)
      if (head.branch == on) wanted = head.commit;
    if (wanted.empty()) throw Refusal(404, "no_such_branch", repo.name + " has no branch " + on);
  }
  api.providers.with(repo.vcs, [&](Vcs& vcs) {
    if (!commit.empty()) wanted = vcs.resolve(call, at, commit);
    request.change = vcs.changes(call, Commit{at, wanted}, "");
    request.change.kind = Change::Kind::manual;
    request.change.repo = at;
    request.change.branch = on;
    request.change.commit = wanted;
    request.file = trigger::readPipelineFile(vcs, call, Commit{at, wanted});
  });
  return request;
}

Answer decided(Api& api, const trigger::Decision& decision) {
  if (decision.verdict == trigger::Verdict::skipped)
    throw Refusal(409, "skipped", decision.sentence, "--force builds all the same");
  return buildAnswer(api, buildOr404(api, decision.build_id), 201);
}

Answer create(Api& api, const Request& http_request) {
  const Body body(http_request, {"repo", "branch", "commit", "force"});
  const model::Repo repo = repoOr404(api, body.required("repo"));
  auto request = requestFor(api, repo, body.text("branch"), body.text("commit"));
  request.trigger = model::Trigger::manual;
  request.requested_by = http_request.identity.name;
  request.force = body.flag("force");
  return decided(api, trigger::submit(*api.engines.store, *api.engines.queue, request));
}

// The same commit, change and ocelot.yml: nothing is asked of the VCS, which may have forgotten the commit.
Answer rerun(Api& api, const Request& http_request) {
  const model::Build old = buildOr404(api, http_request.param("id"));
  trigger::Request request;
  request.repo = repoOr404(api, old.repo);
  request.change = trigger::changeFromJson(old.change_json);
  request.change.repo = {request.repo.name, request.repo.url};
  request.change.branch = old.branch;
  request.change.commit = old.commit;
  if (!old.pipeline.empty()) request.file.yml = old.pipeline;
  request.trigger = model::Trigger::rerun;
  request.rerun_of = old.id;
  request.requested_by = http_request.identity.name;
  request.force = true;
  return decided(api, trigger::submit(*api.engines.store, *api.engines.queue, request));
}

Answer cancel(Api& api, const Request& request) {
  const model::Build build = buildOr404(api, request.param("id"));
  api.engines.store->cancel(build.id, request.identity.name);
  return buildAnswer(api, buildOr404(api, build.id), 202);
}

}  // namespace

void addBuildRoutes(http::Routes& routes, Api& api) {
  using http::Role;
  routes.get("/v1/builds", Role::viewer, with(api, list));
  routes.post("/v1/builds", Role::operate, audited(api, "build.create", create));
  routes.get("/v1/builds/{id}", Role::viewer,
             [&api](const Request& request) { return buildAnswer(api, buildOr404(api, request.param("id"))); });
  routes.post("/v1/builds/{id}/cancel", Role::operate, audited(api, "build.cancel", cancel));
  routes.post("/v1/builds/{id}/rerun", Role::operate, audited(api, "build.rerun", rerun));
}

}  // namespace ocelot::admin
