// Who is given a pass for a build's secrets, and who is not.

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/fake_http.hpp"
#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

class PassesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PassesTest);
  CPPUNIT_TEST(theWorkerThatHoldsTheBuildIsGivenOne);
  CPPUNIT_TEST(itsWholeLifeIsBounded);
  CPPUNIT_TEST(nobodyElseIs);
  CPPUNIT_TEST(aSealedVaultIsNoRefusal);
  CPPUNIT_TEST(withoutTheRoleThereAreNone);
  CPPUNIT_TEST_SUITE_END();

  // Answers as a Vault that makes passes, or as `now` says.
  std::string now_;
  FakeHttp vault_{[this](const Asked& asked) {
    if (asked.target == "/v1/auth/token/lookup-self") return answer(200, R"({"data":{"ttl":0}})");
    if (!now_.empty()) return now_;
    if (asked.target == "/v1/auth/token/create/ocelot-build")
      return answer(200, R"({"wrap_info":{"token":"wrapped-one","ttl":60}})");
    return answer(204, "");
  }};

  void giveOffice(ApiScene& scene) {
    secrets::VaultAuth auth;
    auth.token = "t0";
    const secrets::VaultPlace place{vault_.url(), "", "", std::chrono::milliseconds(20000)};
    scene.api.passes = std::make_unique<secrets::PassOffice>(
        std::make_shared<secrets::VaultSession>(place, auth, [](LogLevel, std::string_view) {}),
        secrets::VaultKv{"secret", "ocelot", 2}, "ocelot-build");
  }

  static HttpAnswer ask(ApiScene& scene, const std::string& build, const std::string& claim,
                        const std::string& body = R"({"seconds":7200})") {
    return scene.sendAs(claim, "POST", "/v1/builds/" + build + "/secrets-pass", body);
  }

 public:
  void theWorkerThatHoldsTheBuildIsGivenOne() {
    ApiScene scene;
    giveOffice(scene);
    const auto repo = scene.addRepo("account/repo");
    const auto claim = scene.running();
    const auto given = ask(scene, claim.build_id, claim.claim_id);
    assertStatus(200, given);
    CPPUNIT_ASSERT_EQUAL(std::string("wrapped-one"), textOf(given, "pass"));
    CPPUNIT_ASSERT_EQUAL(std::string("no-store"), http::headerOf(given, "cache-control"));
    CPPUNIT_ASSERT_EQUAL(1, vault_.count("PUT", "/v1/sys/policies/acl/ocelot-repo-" + repo.id));
    const auto asked = vault_.asked().back();
    CPPUNIT_ASSERT_EQUAL(std::string("60s"), asked.header("x-vault-wrap-ttl"));
    for (const char* part : {"\"explicit_max_ttl\":\"7200s\"", "\"ttl\":\"1800s\"", "\"renewable\":true"})
      CPPUNIT_ASSERT_MESSAGE(asked.body, asked.body.find(part) != std::string::npos);
  }

  void itsWholeLifeIsBounded() {
    ApiScene scene;
    giveOffice(scene);
    scene.addRepo("account/repo");
    const auto claim = scene.running();
    for (const char* bad : {R"({"seconds":59})", R"({"seconds":2764801})", R"({"seconds":"1h"})", R"({"hours":1})"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(bad, 400, ask(scene, claim.build_id, claim.claim_id, bad).status);
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE("none was made", 0, vault_.count("POST", "/v1/auth/token/create/ocelot-build"));
    for (const auto& [body, life] :
         {std::pair("{}", "2764800s"), std::pair("", "1800s"), std::pair(R"({"seconds":90})", "90s")}) {
      assertStatus(200, ask(scene, claim.build_id, claim.claim_id, body));
      const std::string asked = vault_.asked().back().body;
      CPPUNIT_ASSERT_MESSAGE(asked, asked.find("\"explicit_max_ttl\":\"" + std::string(life)) != std::string::npos);
    }
  }

  void nobodyElseIs() {
    ApiScene scene;
    giveOffice(scene);
    scene.addRepo("account/repo");
    const auto claim = scene.running();
    assertRefused(403, "not_yours", ask(scene, claim.build_id, std::string(32, '0')));
    assertRefused(403, "not_yours", ask(scene, claim.build_id, "0"));
    assertRefused(403, "not_yours", ask(scene, model::newUuid(), claim.claim_id));
    assertRefused(401, "unauthorized", ask(scene, claim.build_id, ""));
    scene.end(claim);
    assertRefused(403, "not_yours", ask(scene, claim.build_id, claim.claim_id));
    CPPUNIT_ASSERT_MESSAGE("Vault was not even asked", vault_.asked().empty());
  }

  void aSealedVaultIsNoRefusal() {
    ApiScene scene;
    giveOffice(scene);
    scene.addRepo("account/repo");
    const auto claim = scene.running();
    now_ = answer(503, R"({"errors":["Vault is sealed"]})");
    assertRefused(503, "secrets_away", ask(scene, claim.build_id, claim.claim_id));
    now_ = answer(403, R"({"errors":["permission denied"]})");
    assertRefused(502, "secrets_refused", ask(scene, claim.build_id, claim.claim_id));
  }

  void withoutTheRoleThereAreNone() {
    ApiScene scene;
    scene.addRepo("account/repo");
    const auto claim = scene.running();
    assertRefused(404, "no_passes", ask(scene, claim.build_id, claim.claim_id));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PassesTest);

}  // namespace
