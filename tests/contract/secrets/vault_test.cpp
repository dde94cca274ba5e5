// Vault's adapter on a real server: the contract, and what only a real one shows.

#include <cppunit/TestCase.h>
#include <cppunit/TestSuite.h>
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactory.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <set>
#include <thread>

#include "host/secrets/build_pass.hpp"
#include "tests/contract/secrets/kept.hpp"
#include "tests/contract/secrets/live_vault.hpp"

namespace ocelot::test {
namespace {

using secrets::Unavailable;

struct Entry {
  const char* name;
  void (*body)(secrets::Secrets&);
};

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

class OnMount : public CppUnit::TestCase {
 public:
  OnMount(int version, const Entry& entry)
      : TestCase("vault-kv" + std::to_string(version) + " " + entry.name), version_(version), body_(entry.body) {}
  void runTest() override {
    LiveVault vault;
    const LiveMount mount(vault, version_);
    const auto kept = secrets::openVaultSecrets(vault.asRoot(), {mount.path(), "ocelot", 0});
    body_(*kept);
  }

 private:
  const int version_;
  void (*body_)(secrets::Secrets&);
};

class Factory : public CppUnit::TestFactory {
 public:
  CppUnit::Test* makeTest() override {
    auto* suite = new CppUnit::TestSuite("contract");
    for (const Entry& entry : entries())
      for (const int version : {1, 2}) suite->addTest(new OnMount(version, entry));
    return suite;
  }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string unavailable(const std::function<void()>& action) {
  try {
    action();
  } catch (const Unavailable& error) {
    return error.what();
  }
  CPPUNIT_FAIL("Unavailable was not thrown");
  return "";
}

// What the handbook tells an operator to allow, for a key-value engine at `mount`.
std::string leastPolicy(const std::string& mount) {
  return "path \"" + mount + "/data/ocelot/*\" { capabilities = [\"create\", \"update\", \"read\"] }\npath \"" + mount +
         "/metadata/ocelot/*\" { capabilities = [\"list\", \"read\", \"delete\"] }\n";
}

class LiveVaultTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LiveVaultTest);
  CPPUNIT_TEST(theLeastPolicyIsEnough);
  CPPUNIT_TEST(manyThatNeedAKeyGetTheSame);
  CPPUNIT_TEST(aShortLivedTokenIsRenewedAndReplaced);
  CPPUNIT_TEST(aRevokedTokenIsReplaced);
  CPPUNIT_TEST(whatAnOperatorWritesIsRead);
  CPPUNIT_TEST(aWrongSecretIdIsSaidToBeOne);
  CPPUNIT_TEST(aPassOpensOneRepositoryOnceAndEnds);
  CPPUNIT_TEST(sealedOrAwayIsSaidAndPasses);
  CPPUNIT_TEST_SUITE_END();

 public:
  void theLeastPolicyIsEnough() {
    LiveVault vault;
    const LiveMount mount(vault, 2);
    const LiveAppRole role(vault, leastPolicy(mount.path()));
    const auto kept = secrets::openVaultSecrets(vault.session(role.auth()), {mount.path(), "ocelot", 0});
    CPPUNIT_ASSERT_EQUAL(std::string(), kept->whyAway());
    kept->put("repo/1/TOKEN", "v");
    CPPUNIT_ASSERT(kept->add("system/key", "k"));
    CPPUNIT_ASSERT(kept->find("repo/1/TOKEN") == "v");
    CPPUNIT_ASSERT(kept->names("repo/1/") == std::vector<std::string>{"repo/1/TOKEN"});
    CPPUNIT_ASSERT(kept->remove("repo/1/TOKEN"));
    const auto beside = secrets::openVaultSecrets(vault.session(role.auth()), {mount.path(), "elsewhere", 0});
    CPPUNIT_ASSERT_THROW(beside->find("a"), secrets::Refused);
  }

  void manyThatNeedAKeyGetTheSame() {
    LiveVault vault;
    const LiveMount mount(vault, 2);
    std::vector<std::thread> threads;
    std::atomic<int> made{0};
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        const auto kept = secrets::openVaultSecrets(vault.asRoot(), {mount.path(), "ocelot", 2});
        made += kept->add("system/key", std::to_string(i));
      });
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(1, made.load());
  }

  void aShortLivedTokenIsRenewedAndReplaced() {
    LiveVault vault;
    const LiveMount mount(vault, 2);
    const LiveAppRole role(vault, leastPolicy(mount.path()), R"(,"token_ttl":"2s","token_max_ttl":"4s")");
    const auto session = vault.session(role.auth());
    const auto kept = secrets::openVaultSecrets(session, {mount.path(), "ocelot", 2});
    kept->put("a", "v");
    std::set<std::string> accessors;
    // Two lives of a token: it is renewed as long as Vault lets it be, then replaced, and nobody notices.
    waitUntil("the token was replaced twice", [&] {
      CPPUNIT_ASSERT(kept->find("a") == "v");
      const auto self = session->ask("look", {"GET", "auth/token/lookup-self", "", ""}).body;
      accessors.insert(self["data"]["accessor"].text().value());
      return accessors.size() == 3;
    });
  }

  void aRevokedTokenIsReplaced() {
    LiveVault vault;
    const LiveMount mount(vault, 2);
    const LiveAppRole role(vault, leastPolicy(mount.path()));
    const auto session = vault.session(role.auth());
    const auto kept = secrets::openVaultSecrets(session, {mount.path(), "ocelot", 2});
    kept->put("a", "v");
    const auto self = session->ask("look", {"GET", "auth/token/lookup-self", "", ""}).body;
    vault.root("POST", "auth/token/revoke-accessor",
               "{\"accessor\":\"" + self["data"]["accessor"].text().value() + "\"}");
    CPPUNIT_ASSERT(kept->find("a") == "v");
  }

  void whatAnOperatorWritesIsRead() {
    LiveVault vault;
    const LiveMount mount(vault, 2);
    const auto kept = secrets::openVaultSecrets(vault.asRoot(), {mount.path(), "ocelot", 0});
    // As `vault kv put -mount=… ocelot/repo/1/TOKEN value=s3cr3t` does, and then `vault kv delete`.
    vault.root("PUT", mount.path() + "/data/ocelot/repo/1/TOKEN", R"({"data":{"value":"s3cr3t"},"options":{}})");
    CPPUNIT_ASSERT(kept->find("repo/1/TOKEN") == "s3cr3t");
    vault.root("DELETE", mount.path() + "/data/ocelot/repo/1/TOKEN");
    CPPUNIT_ASSERT(!kept->find("repo/1/TOKEN"));
    vault.root("PUT", mount.path() + "/data/ocelot/repo/1/TOKEN", R"({"data":{"password":"s3cr3t"}})");
    CPPUNIT_ASSERT_THROW(kept->find("repo/1/TOKEN"), secrets::Refused);
    const auto nowhere = secrets::openVaultSecrets(vault.asRoot(), {"no-such-mount", "ocelot", 0});
    CPPUNIT_ASSERT_THROW(nowhere->find("a"), secrets::Refused);
    CPPUNIT_ASSERT(contains(nowhere->whyAway(), "vault secrets enable"));
    const auto stated = secrets::openVaultSecrets(vault.asRoot(), {"no-such-mount", "ocelot", 2});
    CPPUNIT_ASSERT(contains(unavailable([&] { stated->find("a"); }), "check vault.mount"));
  }

  void aWrongSecretIdIsSaidToBeOne() {
    LiveVault vault;
    const LiveAppRole role(vault, leastPolicy("secret"));
    auto auth = role.auth();
    auth.role_id = "11111111-2222-3333-4444-555555555555";
    const auto session = vault.session(auth);
    const std::string what = session->whyAway();
    CPPUNIT_ASSERT_MESSAGE(what, contains(what, "400 invalid role"));
    CPPUNIT_ASSERT_MESSAGE(what, contains(what, "put a new secret id into"));
  }

  void aPassOpensOneRepositoryOnceAndEnds() {
    LiveVault vault;
    for (const int version : {1, 2}) {
      const LiveMount mount(vault, version);
      const secrets::VaultKv kv{mount.path(), "ocelot", version};
      const std::string role = "ocelot-build-" + mount.path();
      vault.root("POST", "auth/token/roles/" + role,
                 R"({"orphan":true,"allowed_policies_glob":["ocelot-repo-*"],"renewable":false})");
      const auto all = secrets::openVaultSecrets(vault.asRoot(), kv);
      all->put("repo/one/TOKEN", "mine");
      all->put("repo/two/TOKEN", "another's");
      all->put("system/key", "ocelot's");
      // An admin may do no more than the handbook says.
      const LiveAppRole admin(vault,
                              "path \"sys/policies/acl/ocelot-repo-*\" { capabilities = [\"create\", \"update\"] }\n"
                              "path \"auth/token/create/" +
                                  role + "\" { capabilities = [\"update\"] }\n");
      secrets::PassOffice office(vault.session(admin.auth()), kv, role);
      const std::string wrapped = office.issue("one", std::chrono::seconds(600));
      const secrets::VaultPlace place{vault.url(), "", "", std::chrono::milliseconds(30000)};
      const auto quiet = [](LogLevel, std::string_view) {};
      {
        const auto pass = secrets::openPass(place, kv, wrapped, quiet);
        CPPUNIT_ASSERT(pass->names("repo/one/") == std::vector<std::string>{"repo/one/TOKEN"});
        CPPUNIT_ASSERT(pass->find("repo/one/TOKEN") == "mine");
        CPPUNIT_ASSERT_THROW(pass->find("repo/two/TOKEN"), secrets::Refused);
        CPPUNIT_ASSERT_THROW(pass->names("repo/two/"), secrets::Refused);
        CPPUNIT_ASSERT_THROW(pass->find("system/key"), secrets::Refused);
        CPPUNIT_ASSERT_THROW(pass->put("repo/one/TOKEN", "changed"), secrets::Refused);
        CPPUNIT_ASSERT_THROW_MESSAGE("taken out once", secrets::openPass(place, kv, wrapped, quiet), secrets::Refused);
      }
      CPPUNIT_ASSERT_EQUAL_MESSAGE("revoked with its holder", std::size_t{0}, passesOf(vault, role));
      vault.root("DELETE", "auth/token/roles/" + role);
      vault.root("DELETE", "sys/policies/acl/ocelot-repo-one");
    }
  }

  // Tokens of this role that are good.
  static std::size_t passesOf(LiveVault& vault, const std::string& role) {
    std::size_t count = 0;
    for (const auto& accessor : vault.root("GET", "auth/token/accessors?list=true")["data"]["keys"].texts()) {
      secrets::VaultHttp http({vault.url(), "", "", std::chrono::milliseconds(30000)});
      const auto reply = http.send(vault.rootToken(),
                                   {"POST", "auth/token/lookup-accessor", "{\"accessor\":\"" + accessor + "\"}", ""});
      count += reply.body["data"]["role"].text() == role;
    }
    return count;
  }

  void sealedOrAwayIsSaidAndPasses() {
    OwnVault own;
    const LiveMount mount(own.vault(), 2);
    const auto kept = secrets::openVaultSecrets(own.vault().asRoot(), {mount.path(), "ocelot", 0});
    kept->put("a", "v");
    own.vault().root("PUT", "sys/seal");
    CPPUNIT_ASSERT(contains(unavailable([&] { kept->find("a"); }), "it is sealed; unseal it"));
    CPPUNIT_ASSERT(contains(unavailable([&] { kept->names("repo/1/"); }), "it is sealed"));
    CPPUNIT_ASSERT(contains(kept->whyAway(), "it is sealed"));
    own.unseal();
    CPPUNIT_ASSERT(kept->find("a") == "v");
    CPPUNIT_ASSERT_EQUAL(std::string(), kept->whyAway());
    own.kill();
    CPPUNIT_ASSERT(contains(unavailable([&] { kept->find("a"); }), "nothing listens there"));
    CPPUNIT_ASSERT(contains(kept->whyAway(), "nothing listens there"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LiveVaultTest);

}  // namespace

OnVault::OnVault(const char* name, void (*body)(secrets::Secrets&)) {
  if (entries().empty()) {
    static Factory factory;
    CppUnit::TestFactoryRegistry::getRegistry().registerFactory(&factory);
  }
  entries().push_back({name, body});
}

}  // namespace ocelot::test
