#include "components/admin/api/api.hpp"
#include "host/http/client.hpp"
#include "host/logserve/log_answer.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::Request;

// No client goes on from https to http, and a ticket has no business on the wire in the clear.
bool isBelow(const config::Config& config, const std::string& worker_url) {
  return worker_url.starts_with("http://") &&
         (config.has("tls.certificate") || config.text("admin.public_url").starts_with("https://"));
}

// The worker's address with a ticket in it; "" when the log is better read here.
std::string atWorker(Api& api, const model::Build& build, const Request& request) {
  if (!api.config.flag("admin.redirect_logs") || request.queryText("via") == "admin") return "";
  if (build.state != model::BuildState::running) return "";
  const std::string place = api.relay.placeOf(build);
  if (place.empty() || isBelow(api.config, place)) return "";
  auto url = api.relay.ticketed(place, build);
  if (!url) return "";  // the secret store is away
  for (const auto& [name, value] : request.query) *url += "&" + http::encode(name) + "=" + http::encode(value);
  return *url;
}

Answer log(Api& api, const Request& request) {
  onlyParameters(request, {"offset", "follow", "tail", "stage", "format", "via"});
  const model::Build build = buildOr404(api, request.param("id"));
  const std::string elsewhere = atWorker(api, build, request);
  if (!elsewhere.empty()) return http::redirect(elsewhere);
  return api.relay.answer(logserve::queryOf(request), build.id);
}

}  // namespace

void addLogRoutes(http::Routes& routes, Api& api) {
  routes.get("/v1/builds/{id}/log", http::Role::viewer, with(api, log));
}

RelaySettings relaySettings(const config::Config& config) {
  RelaySettings settings;
  settings.most = static_cast<int>(config.number("admin.log_relays"));
  settings.ca_file = config.text("tls.ca");
  settings.tls_only = config.has("tls.certificate");
  return settings;
}

}  // namespace ocelot::admin
