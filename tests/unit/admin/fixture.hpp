#pragma once
// ocelot-admin's API as a client sees it: real routes on a real server, a real SQLite store in a temporary folder, the
// real git plugin on a real repository.

#include <Poco/JSON/Object.h>

#include <atomic>
#include <memory>
#include <string>

#include "components/admin/api/api.hpp"
#include "host/daemon/health.hpp"
#include "host/daemon/metrics.hpp"
#include "host/http/client.hpp"
#include "host/http/server.hpp"
#include "host/providers/providers.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/scene.hpp"

namespace ocelot::test {

class ApiScene : public Scene {
 public:
  explicit ApiScene(const std::string& yaml = "");

  // A repository with an ocelot.yml on main, known to Ocelot as account/repo.
  void addGitRepo();
  // Its value.
  std::string addToken(const std::string& role, std::int64_t expires_at = 0);

  // As admin unless told otherwise; token "" : none.
  HttpAnswer send(const std::string& method, const std::string& path, const std::string& body = "");
  HttpAnswer sendAs(const std::string& token, const std::string& method, const std::string& path,
                    const std::string& body = "");

  http::Routes allRoutes();  // with those of every daemon

  GitRepo git;
  std::string commit;  // head of main
  std::string admin, operate, viewer;
  std::atomic<bool> draining{false};
  daemon::Health health;
  daemon::Metrics metrics;
  providers::Providers providers;
  admin::LogRelay relay;
  admin::Api api;
  std::unique_ptr<http::Server> server;
};

// A route's pattern with a name in each of its places that nothing has.
std::string filled(std::string pattern);

Poco::JSON::Object::Ptr objectOf(const HttpAnswer& answer);
std::string textOf(const HttpAnswer& answer, const std::string& key);

// The answer has this status and is {error, message[, hint]}.
void assertRefused(int status, const std::string& error, const HttpAnswer& answer);
void assertStatus(int status, const HttpAnswer& answer);

}  // namespace ocelot::test
