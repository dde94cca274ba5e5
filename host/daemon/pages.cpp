#include "host/daemon/pages.hpp"

#include <algorithm>

#include "host/http/json.hpp"

namespace ocelot::daemon {
namespace {

http::Answer readiness(const http::Request& request, Health& health, bool draining) {
  http::JsonWriter body;
  bool ready = !draining;
  const auto items = health.look();
  const auto list = [&](const char* key, bool warnings) {
    body.key(key).array();
    for (const Health::Item& item : items) {
      if (item.why_not.empty() || item.warning != warnings) continue;
      body.object().field("name", item.name);
      // The reason may name hosts and paths.
      if (request.fromLoopback()) body.field("why", item.why_not);
      body.end();
    }
    body.end();
  };
  ready = ready && std::all_of(items.begin(), items.end(),
                               [](const Health::Item& item) { return item.why_not.empty() || item.warning; });
  body.object();
  list("down", false);
  list("warnings", true);
  body.field("draining", draining).field("ready", ready).end();
  return http::json(body.text() + "\n", ready ? 200 : 503);
}

// The route is open for the sake of a scraper on this machine; everybody else shows a token.
void requireViewer(const http::Request& request, const http::Authenticator& authenticator) {
  if (request.fromLoopback()) return;
  const std::string header = request.header("authorization"), scheme = "Bearer ";
  std::optional<http::Identity> identity;
  if (authenticator && header.compare(0, scheme.size(), scheme) == 0) {
    identity = authenticator(request, header.substr(scheme.size()));
  }
  if (!identity || identity->role < http::Role::viewer) {
    throw http::Refusal(401, "unauthorized", "a viewer's token is needed from another machine",
                        "send \"Authorization: Bearer TOKEN\"");
  }
}

}  // namespace

void addPages(http::Routes& routes, Health& health, Metrics& metrics, const http::Authenticator& authenticator,
              const std::atomic<bool>& draining) {
  using http::Role;
  routes.get("/healthz", Role::none, [](const http::Request&) { return http::text("ok\n"); });
  routes.get("/readyz", Role::none, [&](const http::Request& request) { return readiness(request, health, draining); });
  routes.get("/metrics", Role::none, [&metrics, authenticator](const http::Request& request) {
    requireViewer(request, authenticator);
    http::Answer answer = http::text(metrics.print());
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return answer;
  });
}

}  // namespace ocelot::daemon
