#pragma once
// The routes of openapi.yaml. Each file beside this one answers one part of it.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "components/admin/log_relay.hpp"
#include "host/engines/engines.hpp"
#include "host/http/server.hpp"
#include "host/providers/providers.hpp"
#include "host/ticket/ticket.hpp"

namespace ocelot::admin {

// What handlers use. Outlives the server.
struct Api {
  engines::Engines& engines;
  providers::Providers& providers;
  const config::Config& config;
  ticket::KeySource ticket_key;
  LogRelay& relay;
  std::unique_ptr<secrets::PassOffice> passes = nullptr;  // only with vault.build_role
};

void addAuditRoutes(http::Routes& routes, Api& api);
void addBuildRoutes(http::Routes& routes, Api& api);
void addLogRoutes(http::Routes& routes, Api& api);
void addRepoRoutes(http::Routes& routes, Api& api);
void addSecretRoutes(http::Routes& routes, Api& api);
void addPassRoutes(http::Routes& routes, Api& api);
void addTokenRoutes(http::Routes& routes, Api& api);
void addWorkerRoutes(http::Routes& routes, Api& api);
void addServerRoutes(http::Routes& routes, Api& api);  // version, plugins

http::Routes apiRoutes(Api& api);
RelaySettings relaySettings(const config::Config& config);

// What answers a route.
using Action = http::Answer (*)(Api& api, const http::Request& request);
http::Handler with(Api& api, Action action);
// For every route that changes something: who asks for it is written down before it is done, and then how it went. What
// cannot be written down is not done. `what`: "build.cancel".
http::Handler audited(Api& api, std::string what, Action action);

// Throws http::Refusal(404): `sentence` says what was looked for; the hint names what there is, or else what to do.
[[noreturn]] void refuse404(const std::string& error, const std::string& sentence,
                            const std::vector<std::string>& there_are, const std::string& when_none);
// Throws http::Refusal(400) for a parameter that is none of these: a mistyped filter would let everything through.
void onlyParameters(const http::Request& request, std::initializer_list<std::string_view> known);
// These throw refuse404's.
model::Build buildOr404(Api& api, const std::string& id_or_number);
model::Repo repoOr404(Api& api, const std::string& name);

}  // namespace ocelot::admin
