// Vault's adapter against a server that answers as Vault does, and as it should not.

#include "host/secrets/vault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <condition_variable>
#include <fstream>

#include "host/http/json.hpp"
#include "tests/support/fake_http.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using secrets::Unavailable;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string kTwo = R"({"data":{"type":"kv","options":{"version":"2"}}})";
const std::string kSelf = R"({"data":{"ttl":0,"renewable":false,"expire_time":null}})";

// What a Vault answers about itself; `rest` answers everything else.
FakeHttp::Handler vault(FakeHttp::Handler rest) {
  return [rest = std::move(rest)](const Asked& asked) {
    if (asked.target == "/v1/auth/token/lookup-self") return answer(200, kSelf);
    if (asked.target == "/v1/sys/internal/ui/mounts/secret") return answer(200, kTwo);
    return rest(asked);
  };
}

struct Adapter {
  explicit Adapter(const FakeHttp& server, secrets::VaultAuth auth = byToken(), secrets::VaultPlace place = {}) {
    place.url = server.url();
    session = std::make_shared<secrets::VaultSession>(
        place, auth, [this](LogLevel, std::string_view text) { logged += std::string(text) + "\n"; });
    kept = secrets::openVaultSecrets(session, {});
  }
  static secrets::VaultAuth byToken() {
    secrets::VaultAuth auth;
    auth.token = "t0";
    return auth;
  }
  std::string logged;
  std::shared_ptr<secrets::VaultSession> session;
  std::unique_ptr<secrets::Secrets> kept;
};

std::string unavailable(const std::function<void()>& action) {
  try {
    action();
  } catch (const Unavailable& error) {
    return error.what();
  }
  CPPUNIT_FAIL("Unavailable was not thrown");
  return "";
}

class VaultTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VaultTest);
  CPPUNIT_TEST(aRequestCarriesTokenAndNamespace);
  CPPUNIT_TEST(noOddAnswerIsAnEmptySecret);
  CPPUNIT_TEST(aRedirectIsNotFollowed);
  CPPUNIT_TEST(aMissingEngineIsNotAMissingSecret);
  CPPUNIT_TEST(aDocumentWithoutAValueIsSaidToBeOne);
  CPPUNIT_TEST(versionOneIsSpokenToo);
  CPPUNIT_TEST(kubernetesLogsInWithTheServiceAccountsToken);
  CPPUNIT_TEST(anEndedTokenMeansAnotherLogin);
  CPPUNIT_TEST(aTokenThatMayNotIsNoReasonToLogInAgain);
  CPPUNIT_TEST(aRefusedLoginIsNotRepeatedAtOnce);
  CPPUNIT_TEST(theTokenIsRenewedByItself);
  CPPUNIT_TEST(listingGoesThroughFoldersAndPassesStrangersOver);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aRequestCarriesTokenAndNamespace() {
    FakeHttp server(vault([](const Asked&) { return answer(200, R"({"data":{"data":{"value":"v"}}})"); }));
    secrets::VaultPlace place;
    place.name_space = "team/ci";
    Adapter adapter(server, Adapter::byToken(), place);
    CPPUNIT_ASSERT(adapter.kept->find("repo/1/TOKEN") == "v");
    for (const auto& asked : server.asked()) {
      CPPUNIT_ASSERT_EQUAL(std::string("team/ci"), asked.header("x-vault-namespace"));
      CPPUNIT_ASSERT_EQUAL(std::string("t0"), asked.header("x-vault-token"));
      CPPUNIT_ASSERT_EQUAL(std::string("true"), asked.header("x-vault-request"));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("/v1/secret/data/ocelot/repo/1/TOKEN"), server.asked().back().target);
  }

  void noOddAnswerIsAnEmptySecret() {
    std::string now;
    FakeHttp server(vault([&](const Asked&) { return now; }));
    Adapter adapter(server);
    const std::pair<std::string, std::string> cases[] = {
        {answer(503, R"({"errors":["Vault is sealed"]})"), "it is sealed; unseal it"},
        {answer(501, "{}"), "not initialised"},
        {answer(500, R"({"errors":["internal"]})"), "500: internal"},
        {answer(500, "<html>"), "answers 500"},
        {answer(429, ""), "429"},
        {answer(412, R"({"errors":["required index state not present"]})"), "412"},
        {answer(200, R"({"data":{"data":{"value":"v")"), "not the JSON of a Vault"},
        {answer(200, "\"v\""), "not the JSON of a Vault"},
        {answer(400, R"({"errors":["bad"]})"), "400 bad"},
        {answer(200, R"({"data":{"data":{"value":")" + std::string(5u << 20, 'x') + "\"}}}"), "longer than"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\"", "cut off"},
        {"", "no answer came"},
        {"SSH-2.0-OpenSSH\r\n\r\n", "ask Vault"},
    };
    for (const auto& [odd, said] : cases) {
      now = odd;
      const std::string what = unavailable([&] { adapter.kept->find("a"); });
      CPPUNIT_ASSERT_MESSAGE(said + " in: " + what, contains(what, said));
    }
    now = answer(200, R"({"data":{"data":{"value":"v"}}})");
    CPPUNIT_ASSERT_MESSAGE("and it is found when Vault is well again", adapter.kept->find("a") == "v");
  }

  void aRedirectIsNotFollowed() {
    FakeHttp elsewhere([](const Asked&) { return answer(200, R"({"data":{"data":{"value":"stolen"}}})"); });
    FakeHttp server(vault(
        [&](const Asked& asked) { return answer(307, "", "Location: " + elsewhere.url() + asked.target + "\r\n"); }));
    Adapter adapter(server);
    CPPUNIT_ASSERT(contains(unavailable([&] { adapter.kept->find("a"); }), "a redirect, which is not followed"));
    CPPUNIT_ASSERT(elsewhere.asked().empty());
  }

  void aMissingEngineIsNotAMissingSecret() {
    std::string now = answer(404, R"({"errors":["no handler for route \"secret/data/ocelot/a\""]})");
    FakeHttp server(vault([&](const Asked&) { return now; }));
    Adapter adapter(server);
    CPPUNIT_ASSERT(contains(unavailable([&] { adapter.kept->find("a"); }), "check vault.mount"));
    now = answer(404, R"({"errors":[]})");
    CPPUNIT_ASSERT(!adapter.kept->find("a"));
    now = answer(404, R"({"data":{"data":null,"metadata":{"deletion_time":"2026-01-01T00:00:00Z"}}})");
    CPPUNIT_ASSERT_MESSAGE("a deleted version", !adapter.kept->find("a"));
  }

  void aDocumentWithoutAValueIsSaidToBeOne() {
    std::string now;
    FakeHttp server(vault([&](const Asked&) { return answer(200, R"({"data":{"data":)" + now + "}}"); }));
    Adapter adapter(server);
    for (const char* odd : {"{}", R"({"value":7})", R"({"value":null})", R"({"password":"x"})", "null", "[]",
                            R"({"value_base64":"a"})", R"({"value_base64":"!!!!"})", R"({"value":["v"]})"}) {
      now = odd;
      try {
        adapter.kept->find("a");
        CPPUNIT_FAIL(now);
      } catch (const secrets::Refused& error) {
        CPPUNIT_ASSERT(contains(error.what(), "vault kv put"));
      }
    }
    now = "{\"value\":\"" + std::string(65537, 'x') + "\"}";
    CPPUNIT_ASSERT_THROW(adapter.kept->find("a"), secrets::Refused);
    now = R"({"value_base64":"/wA="})";
    CPPUNIT_ASSERT(adapter.kept->find("a") == std::string("\xff\0", 2));
  }

  void versionOneIsSpokenToo() {
    FakeHttp server([](const Asked& asked) {
      if (asked.target == "/v1/auth/token/lookup-self") return answer(200, kSelf);
      if (asked.target == "/v1/sys/internal/ui/mounts/secret")
        return answer(200, R"({"data":{"type":"kv","options":null}})");
      if (asked.method == "POST") return answer(204, "");
      return answer(200, R"({"data":{"value":"one"}})");
    });
    Adapter adapter(server);
    CPPUNIT_ASSERT(adapter.kept->find("a/b") == "one");
    adapter.kept->put("a/b", "two");
    CPPUNIT_ASSERT_EQUAL(std::string("/v1/secret/ocelot/a/b"), server.asked().back().target);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"value":"two"})"), server.asked().back().body);
    CPPUNIT_ASSERT(!adapter.kept->add("a/b", "three"));
  }

  void kubernetesLogsInWithTheServiceAccountsToken() {
    TempFolder folder;
    std::ofstream(folder.path + "/jwt") << "eyJ.first\n";
    FakeHttp server(vault([](const Asked& asked) {
      if (asked.target == "/v1/auth/k8s-ci/login")
        return answer(200, R"({"auth":{"client_token":"k1","lease_duration":3600,"renewable":true}})");
      return answer(200, R"({"data":{"data":{"value":"v"}}})");
    }));
    secrets::VaultAuth auth;
    auth.method = "kubernetes";
    auth.mount = "k8s-ci";
    auth.role = "ocelot";
    auth.jwt_file = folder.path + "/jwt";
    Adapter adapter(server, auth);
    CPPUNIT_ASSERT(adapter.kept->find("a") == "v");
    const auto login = server.asked().front();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"role":"ocelot","jwt":"eyJ.first"})"), login.body);
    CPPUNIT_ASSERT_EQUAL(std::string(), login.header("x-vault-token"));
    CPPUNIT_ASSERT_EQUAL(std::string("k1"), server.asked().back().header("x-vault-token"));
  }

  void anEndedTokenMeansAnotherLogin() {
    TempFolder folder;
    std::ofstream(folder.path + "/id") << "s";
    std::atomic<int> logins{0};
    FakeHttp server([&](const Asked& asked) {
      if (asked.target == "/v1/auth/approle/login")
        return answer(200, "{\"auth\":{\"client_token\":\"a" + std::to_string(++logins) +
                               "\",\"lease_duration\":3600,\"renewable\":true}}");
      if (asked.header("x-vault-token") == "a1") return answer(403, R"({"errors":["permission denied"]})");
      if (asked.target == "/v1/sys/internal/ui/mounts/secret") return answer(200, kTwo);
      return answer(200, R"({"data":{"data":{"value":"v"}}})");
    });
    secrets::VaultAuth auth;
    auth.method = "approle";
    auth.role_id = "r";
    auth.secret_id_file = folder.path + "/id";
    Adapter adapter(server, auth);
    CPPUNIT_ASSERT(adapter.kept->find("a") == "v");
    CPPUNIT_ASSERT_EQUAL(2, logins.load());
    CPPUNIT_ASSERT(contains(adapter.logged, "logging in again"));
  }

  void aTokenThatMayNotIsNoReasonToLogInAgain() {
    FakeHttp server(vault([](const Asked&) { return answer(403, R"({"errors":["permission denied"]})"); }));
    Adapter adapter(server);
    try {
      adapter.kept->find("a");
      CPPUNIT_FAIL("Refused was not thrown");
    } catch (const secrets::Refused& error) {
      CPPUNIT_ASSERT_MESSAGE(error.what(), contains(error.what(), "do not allow GET on secret/data/ocelot/a"));
    }
  }

  void aRefusedLoginIsNotRepeatedAtOnce() {
    FakeHttp server([](const Asked&) { return answer(403, R"({"errors":["bad token"]})"); });
    Adapter adapter(server);
    const std::string first = unavailable([&] { adapter.kept->find("a"); });
    CPPUNIT_ASSERT_MESSAGE(first, contains(first, "put a new one there"));
    for (int i = 0; i < 20; ++i) CPPUNIT_ASSERT_EQUAL(first, unavailable([&] { adapter.kept->find("a"); }));
    CPPUNIT_ASSERT_MESSAGE("Vault locks out who fails too often", server.asked().size() < 4);
  }

  void theTokenIsRenewedByItself() {
    std::mutex mutex;
    std::condition_variable changed;
    int renewals = 0, lookups = 0;
    FakeHttp server([&](const Asked& asked) {
      const std::lock_guard lock(mutex);
      if (asked.target == "/v1/auth/token/renew-self") {
        ++renewals;
        changed.notify_all();
        return answer(200, R"({"auth":{"client_token":"t0","renewable":true,"lease_duration":1}})");
      }
      if (asked.target == "/v1/auth/token/lookup-self") {
        ++lookups;
        return answer(200, R"({"data":{"ttl":1,"renewable":true,"expire_time":"2026-01-01T00:00:00Z"}})");
      }
      return answer(asked.target.find("mounts") != std::string::npos ? 200 : 404, kTwo);
    });
    Adapter adapter(server);
    CPPUNIT_ASSERT(!adapter.kept->find("a"));
    std::unique_lock lock(mutex);
    CPPUNIT_ASSERT(changed.wait_for(lock, std::chrono::seconds(20), [&] { return renewals >= 2; }));
    CPPUNIT_ASSERT_EQUAL(1, lookups);
  }

  void listingGoesThroughFoldersAndPassesStrangersOver() {
    FakeHttp server(vault([](const Asked& asked) {
      if (asked.target == "/v1/secret/metadata/ocelot/repo/1?list=true")
        return answer(200, R"({"data":{"keys":["B","deep/",".hidden","two words","A",7,"../"]}})");
      if (asked.target == "/v1/secret/metadata/ocelot/repo/1/deep?list=true")
        return answer(200, R"({"data":{"keys":["C"]}})");
      return answer(404, R"({"errors":[]})");
    }));
    Adapter adapter(server);
    CPPUNIT_ASSERT(adapter.kept->names("repo/1/") ==
                   (std::vector<std::string>{"repo/1/A", "repo/1/B", "repo/1/deep/C"}));
    CPPUNIT_ASSERT(adapter.kept->names("repo/1/d") == (std::vector<std::string>{"repo/1/deep/C"}));
    CPPUNIT_ASSERT(adapter.kept->names("repo/2/").empty());
    CPPUNIT_ASSERT_THROW(adapter.kept->names("../x/"), std::invalid_argument);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VaultTest);

}  // namespace
