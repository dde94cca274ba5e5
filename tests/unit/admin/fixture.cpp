#include "tests/unit/admin/fixture.hpp"

#include <Poco/JSON/Parser.h>
#include <cppunit/TestAssert.h>

#include "components/admin/auth.hpp"
#include "host/daemon/pages.hpp"
#include "host/engines/explain.hpp"

namespace ocelot::test {

namespace {

constexpr const char* kTicketKey = "a key that nobody else has";

admin::RelaySettings quick(admin::RelaySettings settings) {
  settings.connect = settings.answer = std::chrono::milliseconds(3000);
  settings.first_retry = std::chrono::milliseconds(20);
  settings.longest_retry = std::chrono::milliseconds(100);
  settings.away = std::chrono::milliseconds(50);
  settings.look = std::chrono::milliseconds(200);
  return settings;
}

}  // namespace

ApiScene::ApiScene(const std::string& yaml)
    : Scene(yaml),
      providers(config, engines::resolverOf(*engines.secrets)),
      relay(
          quick(admin::relaySettings(config)), store(), *engines.discovery, [] { return std::string(kTicketKey); },
          metrics),
      api{engines, providers, config, [] { return std::string(kTicketKey); }, relay} {
  admin = addToken("admin");
  operate = addToken("operator");
  viewer = addToken("viewer");
  http::ServerSettings settings;
  settings.failures_per_minute = 1000;
  http::ServerHooks hooks;
  hooks.explain = engines::explain;
  server = std::make_unique<http::Server>(settings, allRoutes(), admin::authenticatorFor(store()), hooks);
}

http::Routes ApiScene::allRoutes() {
  http::Routes routes = admin::apiRoutes(api);
  daemon::addPages(routes, health, metrics, admin::authenticatorFor(store()), draining);
  return routes;
}

void ApiScene::addGitRepo() {
  git = GitRepo(folder.path + "/repo");
  git.write("ocelot.yml", kPipeline);
  commit = git.commit("first");
  assertStatus(201, send("POST", "/v1/repos", R"({"url": ")" + git.path + R"(", "name": "account/repo"})"));
}

std::string ApiScene::addToken(const std::string& role, std::int64_t expires_at) {
  store::Token token;
  token.id = model::newUuid().substr(0, 8);
  token.name = "the " + role;
  token.role = role;
  token.expires_at = expires_at;
  const std::string value = "oct_" + model::newClaimId();
  token.sha256_hex = admin::tokenHash(value);
  store().addToken(token);
  return value;
}

HttpAnswer ApiScene::send(const std::string& method, const std::string& path, const std::string& body) {
  return sendAs(admin, method, path, body);
}

HttpAnswer ApiScene::sendAs(const std::string& token, const std::string& method, const std::string& path,
                            const std::string& body) {
  http::ClientSettings settings;
  settings.url = server->url();
  settings.token = token;
  http::Client client(settings);
  HttpRequest request;
  request.method = method;
  request.url = path;
  request.body = body;
  SimpleCall call(std::chrono::milliseconds(30000));
  return client.send(call, request);
}

std::string filled(std::string pattern) {
  for (std::size_t at = 0; (at = pattern.find('{')) != std::string::npos;)
    pattern.replace(at, pattern.find('}', at) - at + 1, "nothing");
  return pattern;
}

Poco::JSON::Object::Ptr objectOf(const HttpAnswer& answer) {
  try {
    return Poco::JSON::Parser().parse(answer.body).extract<Poco::JSON::Object::Ptr>();
  } catch (const Poco::Exception& error) {
    CPPUNIT_FAIL("no JSON object: " + answer.body.substr(0, 500) + ": " + error.displayText());
  }
  return nullptr;
}

std::string textOf(const HttpAnswer& answer, const std::string& key) {
  const auto object = objectOf(answer);
  CPPUNIT_ASSERT_MESSAGE(key + " is missing in " + answer.body, object->has(key));
  return object->get(key).toString();
}

void assertStatus(int status, const HttpAnswer& answer) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.body.substr(0, 1000), status, answer.status);
}

void assertRefused(int status, const std::string& error, const HttpAnswer& answer) {
  assertStatus(status, answer);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.body, error, textOf(answer, "error"));
  CPPUNIT_ASSERT(!textOf(answer, "message").empty());
  for (const auto& key : objectOf(answer)->getNames())
    CPPUNIT_ASSERT_MESSAGE(key, key == "error" || key == "message" || key == "hint");
}

}  // namespace ocelot::test
