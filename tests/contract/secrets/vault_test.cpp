// Vault's adapter on a real server: the contract, and what only a real one shows.

#include <cppunit/TestCase.h>
#include <cppunit/TestSuite.h>
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactory.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <optional>
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
  CPPUNIT_TEST(aPassIsRenewedUpToItsEndAndSaysSo);
  CPPUNIT_TEST(aPassOfARoleWithoutRenewalSaysSo);
  CPPUNIT_TEST(aRevokedPassIsSaidToBeOne);
  CPPUNIT_TEST(aPassOutlivesASealedVault);
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

  // A role, and an admin who may do no more than the handbook says.
  struct PassScene {
    PassScene(LiveVault& of, int version, const std::string& more = R"("renewable":true)")
        : vault(of),
          mount(of, version),
          kv{mount.path(), "ocelot", version},
          role("ocelot-build-" + mount.path()),
          place{of.url(), "", "", std::chrono::milliseconds(30000)} {
      vault.root("POST", "auth/token/roles/" + role,
                 R"({"orphan":true,"allowed_policies_glob":["ocelot-repo-*"],)" + more + "}");
      admin.emplace(vault,
                    "path \"sys/policies/acl/ocelot-repo-*\" { capabilities = [\"create\", \"update\"] }\n"
                    "path \"auth/token/create/" +
                        role + "\" { capabilities = [\"update\"] }\n");
      office.emplace(vault.session(admin->auth()), kv, role);
      secrets::openVaultSecrets(vault.asRoot(), kv)->put("repo/one/TOKEN", "mine");
    }
    ~PassScene() {
      vault.root("DELETE", "auth/token/roles/" + role);
      vault.root("DELETE", "sys/policies/acl/ocelot-repo-one");
    }
    PassScene(const PassScene&) = delete;
    PassScene& operator=(const PassScene&) = delete;

    std::unique_ptr<secrets::Secrets> open(const std::string& token) {
      return secrets::openPass(place, kv, token, [](LogLevel, std::string_view) {});
    }
    // As the holder of the pass reads; "" when it may no more, and why is in `refused`.
    std::string read(secrets::Secrets& pass) {
      try {
        return pass.find("repo/one/TOKEN").value();
      } catch (const secrets::Refused& error) {
        refused = error.what();
        return "";
      }
    }

    LiveVault& vault;
    const LiveMount mount;
    const secrets::VaultKv kv;
    const std::string role;
    const secrets::VaultPlace place;
    std::optional<LiveAppRole> admin;
    std::optional<secrets::PassOffice> office;
    std::string refused;
  };

  void aPassOpensOneRepositoryOnceAndEnds() {
    LiveVault vault;
    for (const int version : {1, 2}) {
      PassScene scene(vault, version);
      const auto all = secrets::openVaultSecrets(vault.asRoot(), scene.kv);
      all->put("repo/two/TOKEN", "another's");
      all->put("system/key", "ocelot's");
      const std::string wrapped = scene.office->issue("one", std::chrono::seconds(600));
      const auto unwrapped = secrets::unwrapPass(scene.place, wrapped);
      CPPUNIT_ASSERT(unwrapped.renewable && unwrapped.ttl == std::chrono::seconds(600));
      CPPUNIT_ASSERT_THROW_MESSAGE("taken out once", secrets::unwrapPass(scene.place, wrapped), secrets::Refused);
      for (int holder = 0; holder < 2; ++holder) {  // the second goes on where the first was killed
        const auto pass = scene.open(unwrapped.token);
        CPPUNIT_ASSERT(pass->names("repo/one/") == std::vector<std::string>{"repo/one/TOKEN"});
        CPPUNIT_ASSERT(pass->find("repo/one/TOKEN") == "mine");
        CPPUNIT_ASSERT_THROW(pass->find("repo/two/TOKEN"), secrets::Refused);
        CPPUNIT_ASSERT_THROW(pass->names("repo/two/"), secrets::Refused);
        CPPUNIT_ASSERT_THROW(pass->find("system/key"), secrets::Refused);
        CPPUNIT_ASSERT_THROW(pass->put("repo/one/TOKEN", "changed"), secrets::Refused);
      }
      CPPUNIT_ASSERT_EQUAL_MESSAGE("it outlives who holds it", std::size_t{1}, passesOf(vault, scene.role));
      secrets::revokePass(scene.place, unwrapped.token);
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, passesOf(vault, scene.role));
      secrets::revokePass(scene.place, unwrapped.token);  // and safe twice
    }
  }

  void aPassIsRenewedUpToItsEndAndSaysSo() {
    LiveVault vault;
    PassScene scene(vault, 2, R"("renewable":true,"token_explicit_max_ttl":"6s")");
    const auto began = std::chrono::steady_clock::now();
    const auto lived = [&] { return std::chrono::steady_clock::now() - began; };
    const std::chrono::seconds renewal(2), whole(6);
    const auto unwrapped = secrets::unwrapPass(scene.place, scene.office->issue("one", whole * 10, renewal));
    CPPUNIT_ASSERT(unwrapped.renewable && unwrapped.ttl == renewal);
    const auto pass = scene.open(unwrapped.token);  // nobody asks for anything: it is renewed all the same
    waitUntil("more than two renewals are over",
              [&] { return lived() > renewal * 2 + std::chrono::milliseconds(500); });
    CPPUNIT_ASSERT_EQUAL(std::string("mine"), scene.read(*pass));
    waitUntil("its end has come", [&] { return scene.read(*pass).empty(); });
    CPPUNIT_ASSERT(lived() < whole + std::chrono::seconds(3));
    CPPUNIT_ASSERT_MESSAGE(scene.refused, contains(scene.refused, "read secret repo/one/TOKEN"));
    CPPUNIT_ASSERT_MESSAGE(scene.refused, contains(scene.refused, "its time is over and it cannot be renewed further"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, passesOf(vault, scene.role));
  }

  // As operators of the version before set it up.
  void aPassOfARoleWithoutRenewalSaysSo() {
    LiveVault vault;
    PassScene scene(vault, 2, R"("renewable":false)");
    const auto unwrapped = secrets::unwrapPass(
        scene.place, scene.office->issue("one", std::chrono::seconds(600), std::chrono::seconds(2)));
    CPPUNIT_ASSERT(!unwrapped.renewable && unwrapped.ttl == std::chrono::seconds(2));
    const auto pass = scene.open(unwrapped.token);
    CPPUNIT_ASSERT_EQUAL(std::string("mine"), scene.read(*pass));
    waitUntil("its end has come", [&] { return scene.read(*pass).empty(); });
    CPPUNIT_ASSERT_MESSAGE(scene.refused, contains(scene.refused, "see to renewable and token_explicit_max_ttl"));
  }

  void aRevokedPassIsSaidToBeOne() {
    LiveVault vault;
    PassScene scene(vault, 2);
    const auto token = secrets::unwrapPass(scene.place, scene.office->issue("one", std::chrono::seconds(600))).token;
    const auto pass = scene.open(token);
    CPPUNIT_ASSERT_EQUAL(std::string("mine"), scene.read(*pass));
    vault.root("POST", "auth/token/revoke", "{\"token\":\"" + token + "\"}");
    for (int again = 0; again < 2; ++again) {
      CPPUNIT_ASSERT_EQUAL(std::string(), scene.read(*pass));
      CPPUNIT_ASSERT_MESSAGE(scene.refused, contains(scene.refused, "somebody revoked it"));
    }
  }

  void aPassOutlivesASealedVault() {
    OwnVault own;
    PassScene scene(own.vault(), 2);
    const auto token = secrets::unwrapPass(scene.place, scene.office->issue("one", std::chrono::seconds(600))).token;
    const auto pass = scene.open(token);
    own.vault().root("PUT", "sys/seal");
    CPPUNIT_ASSERT(contains(unavailable([&] { pass->find("repo/one/TOKEN"); }), "it is sealed"));
    CPPUNIT_ASSERT(contains(unavailable([&] { secrets::revokePass(scene.place, token); }), "it is sealed"));
    own.unseal();
    waitUntil("it is good again", [&] {
      try {
        return pass->find("repo/one/TOKEN") == "mine";
      } catch (const Unavailable&) {
        return false;  // no login is tried for a second
      }
    });
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
