// Repositories, their secrets, tokens and plugins over HTTP.

#include <Poco/JSON/Array.h>
#include <cppunit/extensions/HelperMacros.h>

#include "components/admin/auth.hpp"
#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

class BooksTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BooksTest);
  CPPUNIT_TEST(aRepositoryIsAddedWithASecretOfItsOwn);
  CPPUNIT_TEST(aHooksAddressIsWhereForgesReachIt);
  CPPUNIT_TEST(aRepositoryThatIsThereIsAConflictAndLeavesNothing);
  CPPUNIT_TEST(aRepositoryThatDoesNotAnswerIsNotAdded);
  CPPUNIT_TEST(pollingIsTurnedOnAndOff);
  CPPUNIT_TEST(secretsAreSetNamedAndRemovedButNeverTold);
  CPPUNIT_TEST(aRepositoryGoesWithItsSecrets);
  CPPUNIT_TEST(aTokenIsToldOnceWorksAndIsRevoked);
  CPPUNIT_TEST(aTokenExpires);
  CPPUNIT_TEST(theServerSaysWhoAsks);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<ApiScene> scene_;

 public:
  void setUp() override { scene_ = std::make_unique<ApiScene>(); }
  void tearDown() override { scene_.reset(); }

  void aRepositoryIsAddedWithASecretOfItsOwn() {
    scene_->addGitRepo();
    const auto shown = scene_->send("GET", "/v1/repos/account%2Frepo");
    CPPUNIT_ASSERT_EQUAL(std::string("git"), textOf(shown, "vcs"));
    CPPUNIT_ASSERT_EQUAL(scene_->git.path, textOf(shown, "url"));
    CPPUNIT_ASSERT_EQUAL("/hooks/" + textOf(shown, "id"), textOf(shown, "hook_path"));
    CPPUNIT_ASSERT_EQUAL("http://127.0.0.1:7702/hooks/" + textOf(shown, "id"), textOf(shown, "hook_url"));
    CPPUNIT_ASSERT(!objectOf(shown)->has("hook_secret"));
    const auto secret = scene_->engines.secrets->find("system/hook/" + textOf(shown, "id"));
    CPPUNIT_ASSERT(secret && secret->size() == 64);
    const auto refused = scene_->send("GET", "/v1/repos/account%2Fother");
    assertRefused(404, "no_such_repo", refused);
    CPPUNIT_ASSERT_EQUAL(std::string("there are: account/repo"), textOf(refused, "hint"));
  }

  void aHooksAddressIsWhereForgesReachIt() {
    const std::pair<const char*, const char*> cases[] = {
        {"hookhandler: {public_url: 'https://ci.example.org/ocelot/'}", "https://ci.example.org/ocelot/hooks/"},
        {"tls: {certificate: /c, key: /k}", "https://127.0.0.1:7702/hooks/"},
        {"hookhandler: {listen: 'unix:/run/hooks.sock'}", ""},
    };
    for (const auto& [yaml, base] : cases) {
      scene_ = std::make_unique<ApiScene>(yaml);
      scene_->addGitRepo();
      const auto shown = scene_->send("GET", "/v1/repos/account%2Frepo");
      const std::string id = *base ? textOf(shown, "id") : "";
      CPPUNIT_ASSERT_EQUAL(base + id, textOf(shown, "hook_url"));
      CPPUNIT_ASSERT(scene_->send("GET", "/v1/repos").body.find("\"hook_url\":\"" + (base + id) + "\"") !=
                     std::string::npos);
    }
  }

  void aRepositoryThatIsThereIsAConflictAndLeavesNothing() {
    scene_->addGitRepo();
    const auto again =
        scene_->send("POST", "/v1/repos", R"({"url": ")" + scene_->git.path + R"(", "name": "account/repo"})");
    assertRefused(409, "conflict", again);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, scene_->engines.secrets->names("system/hook/").size());
  }

  void aRepositoryThatDoesNotAnswerIsNotAdded() {
    const auto answer = scene_->send("POST", "/v1/repos", R"({"url": ")" + scene_->folder.path + R"(/nothing"})");
    CPPUNIT_ASSERT_MESSAGE(answer.body, answer.status / 100 == 4 || answer.status == 503);
    CPPUNIT_ASSERT(scene_->store().repos().empty());
    const auto unknown = scene_->send("POST", "/v1/repos", R"({"url": "https://example.com/a/b", "vcs": "gitea"})");
    CPPUNIT_ASSERT_EQUAL(404, unknown.status);
    CPPUNIT_ASSERT(textOf(unknown, "message").find("VCS provider `gitea` is not configured") != std::string::npos);
    scene_->git = GitRepo(scene_->folder.path + "/repo");
    scene_->git.commit();
    for (const char* name : {"a b", "a\\n", "a\\u007f", "\\t"}) {
      const auto bad =
          scene_->send("POST", "/v1/repos", R"({"url": ")" + scene_->git.path + R"(", "name": ")" + name + "\"}");
      assertRefused(422, "bad_name", bad);
    }
  }

  void pollingIsTurnedOnAndOff() {
    scene_->addGitRepo();
    const auto on = scene_->send("PUT", "/v1/repos/account%2Frepo/poll", R"({"seconds": 60, "branches": "main,dev"})");
    assertStatus(200, on);
    CPPUNIT_ASSERT_EQUAL(std::string("60"), textOf(on, "poll_seconds"));
    CPPUNIT_ASSERT_EQUAL(std::string("main,dev"), textOf(on, "poll_branches"));
    const auto often = scene_->send("PUT", "/v1/repos/account%2Frepo/poll", R"({"seconds": 1})");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("as often as pollers look", std::string("10"), textOf(often, "poll_seconds"));
    const auto off = scene_->send("PUT", "/v1/repos/account%2Frepo/poll", R"({"seconds": 0})");
    CPPUNIT_ASSERT_EQUAL(std::string("0"), textOf(off, "poll_seconds"));
    CPPUNIT_ASSERT_EQUAL(std::string("ALL"), textOf(off, "poll_branches"));
    assertRefused(400, "missing_key", scene_->send("PUT", "/v1/repos/account%2Frepo/poll", "{}"));
  }

  void secretsAreSetNamedAndRemovedButNeverTold() {
    scene_->addGitRepo();
    const std::string at = "/v1/repos/account%2Frepo/secrets";
    assertStatus(204, scene_->send("PUT", at + "/TOKEN", R"({"value": "hunter22"})"));
    assertStatus(204, scene_->send("PUT", at + "/_2", R"({"value": "x"})"));
    const auto names = scene_->send("GET", at);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"secrets":["TOKEN","_2"]})"), names.body);
    const auto repo = scene_->store().findRepo("account/repo");
    CPPUNIT_ASSERT(scene_->engines.secrets->find("repo/" + repo->id + "/TOKEN") == "hunter22");
    assertRefused(403, "forbidden", scene_->sendAs(scene_->viewer, "GET", at));
    for (const char* name : {"1A", "A-B", "A%2FB", "..%2Fx", "A%20", "%C3%A9"})
      assertRefused(422, "bad_name", scene_->send("PUT", at + "/" + name, R"({"value": "x"})"));
    assertRefused(422, "bad_name", scene_->send("PUT", at + "/" + std::string(101, 'A'), R"({"value": "x"})"));
    assertRefused(400, "missing_key", scene_->send("PUT", at + "/A", R"({"value": ""})"));
    assertStatus(204, scene_->send("DELETE", at + "/TOKEN"));
    assertRefused(404, "no_such_secret", scene_->send("DELETE", at + "/TOKEN"));
  }

  void aRepositoryGoesWithItsSecrets() {
    scene_->addGitRepo();
    scene_->send("PUT", "/v1/repos/account%2Frepo/secrets/A", R"({"value": "x"})");
    assertStatus(204, scene_->send("DELETE", "/v1/repos/account%2Frepo"));
    CPPUNIT_ASSERT(scene_->engines.secrets->names("repo/").empty());
    CPPUNIT_ASSERT(scene_->engines.secrets->names("system/hook/").empty());
    assertRefused(404, "no_such_repo", scene_->send("DELETE", "/v1/repos/account%2Frepo"));
  }

  void aTokenIsToldOnceWorksAndIsRevoked() {
    const auto made = scene_->send("POST", "/v1/tokens", R"({"name": "ci", "role": "viewer"})");
    assertStatus(201, made);
    const std::string value = textOf(made, "value");
    CPPUNIT_ASSERT_EQUAL(std::size_t{4 + 64}, value.size());
    const auto list = scene_->send("GET", "/v1/tokens");
    CPPUNIT_ASSERT_EQUAL(std::string::npos, list.body.find(value));
    CPPUNIT_ASSERT_EQUAL(std::string::npos, list.body.find(admin::tokenHash(value)));
    assertStatus(200, scene_->sendAs(value, "GET", "/v1/builds"));
    assertRefused(403, "forbidden", scene_->sendAs(value, "POST", "/v1/builds", "{}"));
    assertStatus(204, scene_->send("DELETE", "/v1/tokens/" + textOf(made, "id")));
    assertRefused(401, "unauthorized", scene_->sendAs(value, "GET", "/v1/builds"));
    assertRefused(404, "no_such_token", scene_->send("DELETE", "/v1/tokens/" + textOf(made, "id")));
    for (const char* role : {"root", "none", "Admin"})
      assertRefused(422, "bad_role",
                    scene_->send("POST", "/v1/tokens", std::string(R"({"name": "n", "role": ")") + role + "\"}"));
  }

  void aTokenExpires() {
    const auto made =
        scene_->send("POST", "/v1/tokens", R"({"name": "ci", "role": "viewer", "expires_in_seconds": 3600})");
    const std::string value = textOf(made, "value");
    assertStatus(200, scene_->sendAs(value, "GET", "/v1/builds"));
    scene_->sql("UPDATE tokens SET expires_at = 1 WHERE id = '" + textOf(made, "id") + "'");
    assertRefused(401, "unauthorized", scene_->sendAs(value, "GET", "/v1/builds"));
  }

  void theServerSaysWhoAsks() {
    const auto answer = scene_->sendAs(scene_->operate, "GET", "/v1/version");
    CPPUNIT_ASSERT_EQUAL(std::string("operator"), textOf(answer, "role"));
    CPPUNIT_ASSERT_EQUAL(std::string("the operator"), textOf(answer, "token"));
    CPPUNIT_ASSERT_EQUAL(std::string(OCELOT_VERSION), textOf(answer, "version"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, textOf(answer, "store").find("sqlite "));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BooksTest);

}  // namespace
