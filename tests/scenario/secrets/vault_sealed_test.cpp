// While Vault is sealed no build begins: it waits, says why, and goes on by itself when Vault is unsealed.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

#include <fstream>

#include "tests/support/fake_vault.hpp"
#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

InstallationOptions withVault(const FakeVault& vault, const TempFolder& folder) {
  std::ofstream(folder.path + "/token") << "t0\n";
  InstallationOptions options;
  options.set = {"secrets.kind=vault", "vault.url=" + vault.url(), "vault.token_file=" + folder.path + "/token"};
  return options;
}

class VaultSealedTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VaultSealedTest);
  CPPUNIT_TEST(buildsWaitWhileVaultIsSealed);
  CPPUNIT_TEST(aRunningBuildGoesOnWhileVaultIsSealed);
  CPPUNIT_TEST(aBuildsSecretsComeByAPassOfItsOwn);
  CPPUNIT_TEST_SUITE_END();

 public:
  void buildsWaitWhileVaultIsSealed() {
    FakeVault vault;
    const TempFolder folder;
    Installation here(withVault(vault, folder));
    const auto repo = here.makeRepo("sealed",
                                    "image: ocelot.local/busybox\nstages:\n  - name: use\n    secrets: [TOKEN]\n"
                                    "    script: test \"$TOKEN\" = s3cr3t-value\n");
    here.setSecret(repo, "TOKEN", "s3cr3t-value");
    vault.seal();
    const auto id = here.build(repo);
    await("the build says why it waits", [&] {
      const auto seen = here.show(id);
      CPPUNIT_ASSERT_MESSAGE(seen.text(), !seen.final());
      return seen.state == "queued" && seen.waiting.find("it is sealed") != std::string::npos;
    });
    const auto ready = here.ask("GET", "/readyz", "", {}, "worker");
    CPPUNIT_ASSERT_EQUAL(503, ready.status);
    CPPUNIT_ASSERT_MESSAGE(ready.body, ready.body.find("\"secrets\"") != std::string::npos);
    vault.seal(false);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("waiting is no attempt", 1, run.attempt);
    here.awaitClean();
  }

  void aBuildsSecretsComeByAPassOfItsOwn() {
    FakeVault vault;
    const TempFolder folder;
    auto options = withVault(vault, folder);
    options.set.insert(options.set.end(), {"vault.kv_version=2", "vault.build_role=ocelot-build"});
    Installation here(options);
    const auto repo = here.makeRepo("passes",
                                    "image: ocelot.local/busybox\nstages:\n  - name: use\n    secrets: [TOKEN]\n"
                                    "    script: test \"$TOKEN\" = s3cr3t-value\n");
    here.setSecret(repo, "TOKEN", "s3cr3t-value");
    const auto run = here.runBuild(repo);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + here.log("worker"), std::string("passed"), run.state);
    int by_pass = 0, revoked = 0;
    for (const auto& asked : vault.asked()) {
      const std::string token = asked.header("x-vault-token");
      if (asked.method == "GET" && asked.target == "/v1/secret/data/ocelot/repo/" + repo.id + "/TOKEN") {
        CPPUNIT_ASSERT_EQUAL_MESSAGE("by no other token", std::string("pass-1"), token);
        ++by_pass;
      }
      revoked += asked.target == "/v1/auth/token/revoke-self" && token == "pass-1";
    }
    CPPUNIT_ASSERT_EQUAL(1, by_pass);
    CPPUNIT_ASSERT_EQUAL(1, revoked);
    here.awaitClean();
  }

  void aRunningBuildGoesOnWhileVaultIsSealed() {
    FakeVault vault;
    const TempFolder folder;
    Installation here(withVault(vault, folder));
    const auto repo =
        here.makeRepo("goes-on",
                      "image: ocelot.local/busybox\nstages:\n  - name: wait\n    script: |\n      echo started\n"
                      "      until [ -e /workspace/go ]; do sleep 0.1; done\n  - name: use\n    secrets: [TOKEN]\n"
                      "    script: test \"$TOKEN\" = s3cr3t-value\n");
    here.setSecret(repo, "TOKEN", "s3cr3t-value");
    const auto id = here.build(repo);
    here.awaitLog(id, "started");
    vault.seal();
    // Its process dies too: what it was given lies beside it.
    for (const pid_t pid : here.buildProcesses(id)) ::kill(pid, SIGKILL);
    for (const pid_t pid : here.contained()) {
      const std::string root = "/proc/" + std::to_string(pid) + "/root/workspace";
      std::ofstream(root + "/go") << "";
    }
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL(1, run.attempt);
    here.awaitClean();
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VaultSealedTest);

}  // namespace
}  // namespace ocelot::test
