#include "components/worker/passes.hpp"

#include <algorithm>

#include "host/http/client.hpp"
#include "host/http/json_view.hpp"
#include "host/pipeline/grant.hpp"
#include "host/pipeline/pipeline.hpp"

namespace ocelot::worker {
namespace {

// Beside the build's own time: to fetch image and source, and to be taken up again.
constexpr std::int64_t kBesideTheBuild = 3600;

// For how long the build may want its secrets, as a request's body; "{}": nobody knows.
std::string wholeLife(const pipeline::Pipeline& pipeline, const builddir::BuildLimits& limits) {
  pipeline::Ceiling ceiling;
  ceiling.timeout_ms = limits.timeout_ms;
  ceiling.max_timeout_ms = limits.max_timeout_ms;
  const std::int64_t timeout_ms = pipeline::grant(pipeline, ceiling).timeout_ms;
  if (timeout_ms <= 0) return "{}";
  const std::int64_t seconds = (timeout_ms + limits.grace_ms) / 1000 + kBesideTheBuild;
  return "{\"seconds\":" + std::to_string(std::min<std::int64_t>(seconds, secrets::kLongestPass.count())) + "}";
}

// From one admin. Throws Error where none answers there.
std::string passFrom(const std::string& url, const config::Config& config, const store::Claim& claim,
                     const std::string& whole_life) {
  http::ClientSettings settings;
  settings.url = url;
  settings.ca_file = config.text("tls.ca");
  settings.token = claim.claim_id;
  HttpRequest request;
  request.method = "POST";
  request.url = "/v1/builds/" + http::encode(claim.build_id) + "/secrets-pass";
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = whole_life;
  request.max_answer_bytes = 64 << 10;
  SimpleCall call(std::chrono::milliseconds(20000));
  const auto answer = http::Client(settings).send(call, request);
  const auto body = http::JsonView::parse(answer.body).value_or(http::JsonView());
  if (const auto pass = body["pass"].text(); answer.status == 200 && pass) return *pass;
  const std::string came = "ask the admin at " + url + " for the build's pass: " + std::to_string(answer.status) + " " +
                           body["message"].text().value_or("") + "; " +
                           body["hint"].text().value_or("is worker.admin_url right?");
  // 502 is an admin that Vault refuses; every other failure of a server passes.
  if ((answer.status >= 500 && answer.status != 502) || answer.status == 429) throw secrets::Unavailable(came);
  throw secrets::Refused(came);
}

// From any of the admins: the first that can give one.
std::string passFor(const config::Config& config, const store::Claim& claim, const std::string& whole_life) {
  std::string why = "worker.admin_url names no admin to ask for the build's pass";
  for (const auto& url : config.list("worker.admin_url")) {
    try {
      return passFrom(url, config, claim, whole_life);
    } catch (const Error& error) {
      why = "ask the admin at " + url + " for the build's pass: " + error.what();
    } catch (const secrets::Unavailable& away) {
      why = away.what();
    }
  }
  throw secrets::Unavailable(why);
}

std::set<std::string> namesIn(const pipeline::Pipeline& pipeline) {
  std::set<std::string> names(pipeline.secrets.begin(), pipeline.secrets.end());
  for (const auto& stage : pipeline.stages) names.insert(stage.secrets.begin(), stage.secrets.end());
  return names;
}

}  // namespace

std::set<std::string> secretsNamed(const std::string& pipeline) {
  const auto read = pipeline::read(pipeline, "ocelot.yml");
  return read.pipeline ? namesIn(*read.pipeline) : std::set<std::string>();
}

builddir::SecretsAccess secretsAccess(const config::Config& config, const Settings& settings, engines::Engines& engines,
                                      const store::ClaimedBuild& build, AccessNeeds needs) {
  builddir::SecretsAccess access;
  const auto read = pipeline::read(build.build.pipeline, "ocelot.yml");
  if (!read.pipeline || namesIn(*read.pipeline).empty()) return access;
  const auto repo = engines.store->findRepo(build.build.repo);
  if (!repo) throw secrets::Refused("repository " + build.build.repo + " is not known any more");
  access.prefix = "repo/" + repo->id + "/";
  if (config.text("secrets.kind") != "vault" || !config.has("vault.build_role")) {
    access.desk = settings.desk();
    if (const std::string why = needs.begun ? "" : engines.secrets->whyAway(); !why.empty())
      throw secrets::Unavailable(why);
    return access;
  }
  const auto place = engines::vaultPlace(config);
  const auto kv = engines::vaultKv(config);
  access.url = place.url;
  access.ca_file = place.ca_file;
  access.name_space = place.name_space;
  access.timeout_ms = place.timeout.count();
  access.mount = kv.mount;
  access.kv_prefix = kv.prefix;
  access.kv_version = kv.version;
  if (!needs.has_pass) access.pass = passFor(config, build.claim, wholeLife(*read.pipeline, settings.limits));
  return access;
}

}  // namespace ocelot::worker
