#include "components/worker/passes.hpp"

#include "host/daemon/log.hpp"
#include "host/engines/engines.hpp"
#include "host/http/client.hpp"
#include "host/http/json_view.hpp"

namespace ocelot::worker {
namespace {

// From one admin. Throws Error where none answers there.
std::string passFrom(const std::string& url, const config::Config& config, const store::Claim& claim) {
  http::ClientSettings settings;
  settings.url = url;
  settings.ca_file = config.text("tls.ca");
  settings.token = claim.claim_id;
  HttpRequest request;
  request.method = "POST";
  request.url = "/v1/builds/" + http::encode(claim.build_id) + "/secrets-pass";
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
std::string passFor(const config::Config& config, const store::Claim& claim) {
  std::string why = "worker.admin_url names no admin to ask for the build's pass";
  for (const auto& url : config.list("worker.admin_url")) {
    try {
      return passFrom(url, config, claim);
    } catch (const Error& error) {
      why = "ask the admin at " + url + " for the build's pass: " + error.what();
    } catch (const secrets::Unavailable& away) {
      why = away.what();
    }
  }
  throw secrets::Unavailable(why);
}

}  // namespace

std::map<std::string, std::string> secretsByPass(const config::Config& config, const store::ClaimedBuild& build,
                                                 const std::string& repo_id) {
  const auto pass =
      secrets::openPass(engines::vaultPlace(config), engines::vaultKv(config), passFor(config, build.claim),
                        [](LogLevel level, std::string_view text) { daemon::log(level, text); });
  const std::string prefix = "repo/" + repo_id + "/";
  std::map<std::string, std::string> values;
  for (const auto& name : pass->names(prefix))
    if (const auto value = pass->find(name)) values[name.substr(prefix.size())] = *value;
  return values;
}

}  // namespace ocelot::worker
