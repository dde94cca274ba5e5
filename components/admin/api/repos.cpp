#include <algorithm>

#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::JsonWriter;
using http::Refusal;
using http::Request;

constexpr std::int64_t kMaxPollSeconds = 7 * 86400;

// Where ocelot-hookhandler is reached, as the configuration that all daemons share says. "" : on a unix socket, which
// only a proxy before it knows to lead to.
std::string hookUrl(const config::Config& config, const model::Repo& repo) {
  std::string base = config.text("hookhandler.public_url");
  const std::string listen = config.text("hookhandler.listen");
  if (base.empty() && listen.compare(0, 5, "unix:") == 0) return "";
  if (base.empty()) base = (config.has("tls.certificate") ? "https://" : "http://") + listen;
  while (base.back() == '/') base.pop_back();
  return base + hookPath(repo);
}

// As often as the pollers will really look; 0: never.
std::int64_t pollSeconds(const Api& api, std::int64_t asked) {
  const std::int64_t least = (api.config.duration("poller.min_interval").count() + 999) / 1000;
  return asked == 0 ? 0 : std::max(asked, least);
}

Answer repoAnswer(const Api& api, const model::Repo& repo, int status = 200, const std::string& hook_secret = "") {
  JsonWriter out;
  write(out, repo, hookUrl(api.config, repo));
  std::string text = out.text();
  if (!hook_secret.empty()) text.insert(text.size() - 1, ",\"hook_secret\":" + http::quoted(hook_secret));
  return http::json(text, status);
}

Answer list(Api& api) {
  JsonWriter out;
  out.object().key("repos").array();
  for (const auto& repo : api.engines.store->repos()) write(out, repo, hookUrl(api.config, repo));
  out.end().end();
  return http::json(out.text());
}

Answer add(Api& api, const Request& request) {
  const Body body(request, {"url", "name", "vcs", "poll_seconds", "poll_branches"});
  SimpleCall call(std::chrono::milliseconds(60000));
  const auto found = api.providers.identify(call, body.required("url", 2048), body.text("vcs"));
  model::Repo repo;
  repo.id = model::newUuid();
  repo.name = body.has("name") ? body.required("name", 200) : found.repo.name;
  for (const char c : repo.name)
    if (static_cast<unsigned char>(c) < 0x21 || c == 0x7f)
      throw Refusal(422, "bad_name", "a repository's name holds no blanks and no control characters");
  repo.vcs = found.provider;
  repo.url = found.repo.url;
  repo.poll_seconds = pollSeconds(api, body.number("poll_seconds", 0, kMaxPollSeconds, 0));
  repo.poll_branches = body.has("poll_branches") ? body.text("poll_branches") : "ALL";
  // It must answer before it is known: a mistyped address would otherwise be found out by the first build.
  api.providers.with(repo.vcs, [&](Vcs& vcs) { vcs.heads(call, {repo.name, repo.url}); });
  const std::string secret = model::newClaimId() + model::newClaimId();
  repo.hook_secret_name = "system/hook/" + repo.id;
  api.engines.secrets->put(repo.hook_secret_name, secret);
  try {
    return repoAnswer(api, api.engines.store->addRepo(repo), 201, secret);
  } catch (...) {
    api.engines.secrets->remove(repo.hook_secret_name);
    throw;
  }
}

Answer remove(Api& api, const Request& request) {
  const model::Repo repo = repoOr404(api, request.param("name"));
  api.engines.store->removeRepo(repo.name);
  for (const auto& name : api.engines.secrets->names("repo/" + repo.id + "/")) api.engines.secrets->remove(name);
  if (!repo.hook_secret_name.empty()) api.engines.secrets->remove(repo.hook_secret_name);
  return http::nothing();
}

Answer poll(Api& api, const Request& request) {
  const Body body(request, {"seconds", "branches"});
  const model::Repo repo = repoOr404(api, request.param("name"));
  if (!body.has("seconds")) throw Refusal(400, "missing_key", "`seconds` is missing");
  api.engines.store->setRepoPolling(repo.id, pollSeconds(api, body.number("seconds", 0, kMaxPollSeconds, 0)),
                                    body.has("branches") ? body.text("branches") : "ALL");
  return repoAnswer(api, repoOr404(api, repo.name));
}

}  // namespace

void addRepoRoutes(http::Routes& routes, Api& api) {
  using http::Role;
  routes.get("/v1/repos", Role::viewer, [&api](const Request&) { return list(api); });
  routes.post("/v1/repos", Role::operate, audited(api, "repo.add", add));
  routes.get("/v1/repos/{name}", Role::viewer,
             [&api](const Request& request) { return repoAnswer(api, repoOr404(api, request.param("name"))); });
  routes.del("/v1/repos/{name}", Role::operate, audited(api, "repo.remove", remove));
  routes.add({"PUT", "/v1/repos/{name}/poll", Role::operate, audited(api, "repo.poll", poll)});
}

}  // namespace ocelot::admin
