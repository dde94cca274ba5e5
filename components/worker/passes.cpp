#include "components/worker/passes.hpp"

#include "host/daemon/log.hpp"
#include "host/engines/engines.hpp"
#include "host/http/client.hpp"
#include "host/http/json_view.hpp"

namespace ocelot::worker {
namespace {

std::string passFor(const config::Config& config, const store::Claim& claim) {
  http::ClientSettings settings;
  settings.url = config.text("worker.admin_url");
  settings.ca_file = config.text("tls.ca");
  settings.token = claim.claim_id;
  HttpRequest request;
  request.method = "POST";
  request.url = "/v1/builds/" + http::encode(claim.build_id) + "/secrets-pass";
  request.max_answer_bytes = 64 << 10;
  const std::string tried = "ask the admin at " + settings.url + " for the build's pass: ";
  try {
    SimpleCall call(std::chrono::milliseconds(20000));
    const auto answer = http::Client(settings).send(call, request);
    const auto body = http::JsonView::parse(answer.body).value_or(http::JsonView());
    if (const auto pass = body["pass"].text(); answer.status == 200 && pass) return *pass;
    const std::string came = tried + std::to_string(answer.status) + " " + body["message"].text().value_or("") + "; " +
                             body["hint"].text().value_or("is worker.admin_url right?");
    // 502 is an admin that Vault refuses; every other failure of a server passes.
    if ((answer.status >= 500 && answer.status != 502) || answer.status == 429) throw secrets::Unavailable(came);
    throw secrets::Refused(came);
  } catch (const Error& error) {
    throw secrets::Unavailable(tried + error.what());
  }
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
