#include <chrono>

#include "components/admin/api/api.hpp"
#include "host/http/client.hpp"
#include "host/logserve/log_answer.hpp"
#include "host/ticket/ticket.hpp"

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
  const auto worker = api.engines.discovery->find(build.worker);
  if (!worker || worker->url.empty() || isBelow(api.config, worker->url)) return "";
  const auto key = api.ticket_key();
  if (!key) return "";  // the secret store is away
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::string url =
      worker->url + "/v1/builds/" + build.id + "/log?ticket=" + ticket::mint(*key, {build.id, build.attempt}, now);
  for (const auto& [name, value] : request.query) url += "&" + http::encode(name) + "=" + http::encode(value);
  return url;
}

Answer log(Api& api, const Request& request) {
  const model::Build build = buildOr404(api, request.param("id"));
  const std::string elsewhere = atWorker(api, build, request);
  if (!elsewhere.empty()) return http::redirect(elsewhere);
  return logserve::answer(logserve::queryOf(request), logserve::openStored(*api.engines.store, build.id));
}

}  // namespace

void addLogRoutes(http::Routes& routes, Api& api) {
  routes.get("/v1/builds/{id}/log", http::Role::viewer, with(api, log));
}

}  // namespace ocelot::admin
