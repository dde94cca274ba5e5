// Whoever changes something is written down, and nothing that he must keep to himself.

#include <Poco/JSON/Array.h>
#include <cppunit/extensions/HelperMacros.h>

#include <set>

#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

class AuditTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AuditTest);
  CPPUNIT_TEST(everyRouteThatChangesSomethingIsAudited);
  CPPUNIT_TEST(whoDidWhatIsToldByPages);
  CPPUNIT_TEST(secretsAreNeverInIt);
  CPPUNIT_TEST(whatCannotBeWrittenDownIsNotDone);
  CPPUNIT_TEST_SUITE_END();

 public:
  void everyRouteThatChangesSomethingIsAudited() {
    ApiScene scene;
    std::set<std::string> actions;
    const http::Routes routes = admin::apiRoutes(scene.api);
    for (const auto& route : routes.all()) {
      const std::string what = route.method + " " + route.pattern;
      if (route.role == http::Role::none) continue;  // a worker's, who changes nothing; Vault has its own audit
      const auto before = scene.store().audit(0, 500).size();
      const auto answer = scene.send(route.method, filled(route.pattern), route.method == "GET" ? "" : "{}");
      const auto after = scene.store().audit(0, 500);
      if (route.method == "GET") {
        CPPUNIT_ASSERT_EQUAL_MESSAGE(what, before, after.size());
        continue;
      }
      CPPUNIT_ASSERT_EQUAL_MESSAGE(what, before + 1, after.size());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(what, answer.status, after[0].status);
      CPPUNIT_ASSERT_MESSAGE(what, actions.insert(after[0].action).second);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{12}, actions.size());
  }

  void whoDidWhatIsToldByPages() {
    ApiScene scene;
    scene.addGitRepo();
    assertStatus(201, scene.sendAs(scene.operate, "POST", "/v1/builds", R"({"repo": "account/repo"})"));
    assertStatus(202, scene.sendAs(scene.operate, "POST", "/v1/builds/1/cancel", "{}"));
    assertRefused(404, "no_such_repo", scene.send("DELETE", "/v1/repos/account%2Fother"));

    const auto page = objectOf(scene.send("GET", "/v1/audit?limit=2"));
    const auto entries = page->getArray("audit");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, entries->size());
    const auto refused = entries->getObject(0), cancel = entries->getObject(1);
    CPPUNIT_ASSERT_EQUAL(std::string("repo.remove"), refused->getValue<std::string>("action"));
    CPPUNIT_ASSERT_EQUAL(std::string("account/other"), refused->getValue<std::string>("object"));
    CPPUNIT_ASSERT_EQUAL(404, refused->getValue<int>("status"));
    CPPUNIT_ASSERT_EQUAL(std::string("build.cancel"), cancel->getValue<std::string>("action"));
    CPPUNIT_ASSERT_EQUAL(std::string("account/repo #1"), cancel->getValue<std::string>("object"));
    CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.1"), cancel->getValue<std::string>("from"));
    CPPUNIT_ASSERT(cancel->getValue<std::string>("token") != refused->getValue<std::string>("token"));
    const auto rest =
        objectOf(scene.send("GET", "/v1/audit?before=" + page->getValue<std::string>("next")))->getArray("audit");
    CPPUNIT_ASSERT_EQUAL(std::string("build.create"), rest->getObject(0)->getValue<std::string>("action"));
    CPPUNIT_ASSERT_EQUAL(std::string("account/repo #1"), rest->getObject(0)->getValue<std::string>("object"));
    assertRefused(400, "bad_number", scene.send("GET", "/v1/audit?limit=501"));
    assertRefused(403, "forbidden", scene.sendAs(scene.operate, "GET", "/v1/audit"));
  }

  void secretsAreNeverInIt() {
    ApiScene scene;
    scene.addGitRepo();
    assertStatus(204, scene.send("PUT", "/v1/repos/account%2Frepo/secrets/KEY", R"({"value": "s3cr3t"})"));
    scene.send("POST", "/v1/repos", R"({"url": "https://user:s3cr3t@127.0.0.1:1/a/b.git"})");
    const auto token = scene.send("POST", "/v1/tokens", R"({"name": "bot", "role": "viewer"})");
    const std::string told = scene.send("GET", "/v1/audit").body;
    CPPUNIT_ASSERT_MESSAGE(told, told.find("account/repo KEY") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(told, told.find("(viewer) bot") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(told, told.find("s3cr3t") == std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(told, told.find(textOf(token, "value")) == std::string::npos);
  }

  void whatCannotBeWrittenDownIsNotDone() {
    ApiScene scene;
    scene.takeAway("audit");
    assertRefused(503, "store_away", scene.send("POST", "/v1/tokens", R"({"name": "bot", "role": "viewer"})"));
    scene.bringBack("audit");
    for (const auto& token : scene.store().tokens()) CPPUNIT_ASSERT(token.name != "bot");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AuditTest);

}  // namespace
