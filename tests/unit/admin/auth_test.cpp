// Every route × every kind of token.

#include <cppunit/extensions/HelperMacros.h>

#include "components/admin/auth.hpp"
#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

class AuthTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AuthTest);
  CPPUNIT_TEST(everyRouteWantsItsRole);
  CPPUNIT_TEST(metricsAreOpenToThisMachineAlone);
  CPPUNIT_TEST(aStoreThatIsAwayIsNoWrongToken);
  CPPUNIT_TEST_SUITE_END();

 public:
  void everyRouteWantsItsRole() {
    ApiScene scene;
    const std::string expired = scene.addToken("admin", 1);
    const std::string revoked = scene.addToken("admin");
    CPPUNIT_ASSERT(scene.store().revokeToken(scene.store().findToken(admin::tokenHash(revoked))->id));

    struct Case {
      const char* name;
      std::string token;
      http::Role role;
    };
    const std::vector<Case> cases = {
        {"no token", "", http::Role::none},
        {"garbage", "garbage", http::Role::none},
        {"a hash instead of the value", admin::tokenHash(scene.admin), http::Role::none},
        {"a JWT of alg none", "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.", http::Role::none},
        {"the value and one letter more", scene.admin + "0", http::Role::none},
        {"expired", expired, http::Role::none},
        {"revoked", revoked, http::Role::none},
        {"viewer", scene.viewer, http::Role::viewer},
        {"operator", scene.operate, http::Role::operate},
        {"admin", scene.admin, http::Role::admin},
    };
    const http::Routes routes = scene.allRoutes();
    CPPUNIT_ASSERT(routes.all().size() > 20);
    for (const auto& route : routes.all())
      for (const auto& one : cases) {
        const std::string what = std::string(one.name) + " on " + route.method + " " + route.pattern;
        const auto answer =
            scene.sendAs(one.token, route.method, filled(route.pattern), route.method == "GET" ? "" : "{}");
        const bool wrong = one.role == http::Role::none;
        if (route.pattern == "/v1/builds/{id}/secrets-pass")  // wants a claim instead of a token: passes_test.cpp
          CPPUNIT_ASSERT_MESSAGE(what, answer.status == 401 || answer.status == 404);
        else if (route.role == http::Role::none)
          CPPUNIT_ASSERT_MESSAGE(what, answer.status == 200 || answer.status == 503);
        else if (wrong)
          CPPUNIT_ASSERT_EQUAL_MESSAGE(what, 401, answer.status);
        else if (one.role < route.role)
          CPPUNIT_ASSERT_EQUAL_MESSAGE(what, 403, answer.status);
        else
          CPPUNIT_ASSERT_MESSAGE(what + ": " + answer.body,
                                 answer.status != 401 && answer.status != 403 && answer.status < 500);
      }
    for (const auto& route : routes.all())
      if (route.role == http::Role::none)
        CPPUNIT_ASSERT_MESSAGE(route.pattern, route.pattern == "/healthz" || route.pattern == "/readyz" ||
                                                  route.pattern == "/metrics" ||
                                                  route.pattern == "/v1/builds/{id}/secrets-pass");
  }

  void metricsAreOpenToThisMachineAlone() {
    ApiScene scene;
    const auto ask = [&](const std::string& token) {
      http::ClientSettings settings;
      settings.url = scene.server->url();
      settings.token = token;
      http::Client client(settings);
      HttpRequest request;
      request.url = "/metrics";
      request.headers = {{"X-Forwarded-For", "203.0.113.9"}};  // a proxy stands in between
      SimpleCall call(std::chrono::milliseconds(10000));
      return client.send(call, request);
    };
    assertStatus(200, scene.sendAs("", "GET", "/metrics"));
    assertRefused(401, "unauthorized", ask(""));
    assertRefused(401, "unauthorized", ask("garbage"));
    assertStatus(200, ask(scene.viewer));
  }

  void aStoreThatIsAwayIsNoWrongToken() {
    ApiScene scene;
    scene.takeAway("tokens");
    const auto answer = scene.send("GET", "/v1/builds");
    assertRefused(503, "store_away", answer);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5000}, answer.retry_after_ms);
    scene.bringBack("tokens");
    assertStatus(200, scene.send("GET", "/v1/builds"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AuthTest);

}  // namespace
