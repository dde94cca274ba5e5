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

void letGo(const Installation& here) {
  for (const pid_t pid : here.contained()) std::ofstream("/proc/" + std::to_string(pid) + "/root/workspace/go") << "";
}

class VaultSealedTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VaultSealedTest);
  CPPUNIT_TEST(buildsWaitWhileVaultIsSealed);
  CPPUNIT_TEST(aRunningBuildGoesOnWhileVaultIsSealed);
  CPPUNIT_TEST(daemonsThatStartWhileVaultIsSealedAreUpAndWait);
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

  void daemonsThatStartWhileVaultIsSealedAreUpAndWait() {
    FakeVault vault;
    const TempFolder folder;
    Installation here(withVault(vault, folder));
    const auto repo =
        here.makeRepo("again",
                      "image: ocelot.local/busybox\nstages:\n  - name: wait\n    secrets: [TOKEN]\n    script: |\n"
                      "      echo started\n      until [ -e /workspace/go ]; do sleep 0.1; done\n"
                      "      test \"$TOKEN\" = s3cr3t-value\n");
    here.setSecret(repo, "TOKEN", "s3cr3t-value");
    const auto running = here.build(repo);
    here.awaitLog(running, "started");
    here.kill("worker");
    here.kill("admin");
    vault.seal();
    here.start("admin");
    here.start("worker");
    for (const char* daemon : {"admin", "worker"}) {
      const auto ready = here.ask("GET", "/readyz", "", {}, daemon);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(ready.body, 503, ready.status);
      CPPUNIT_ASSERT_MESSAGE(ready.body, ready.body.find("it is sealed") != std::string::npos);
    }
    // What ran goes on, and can be read; what waits says why.
    const auto waiting = here.build(repo);
    await("the build says why it waits",
          [&] { return here.show(waiting).waiting.find("it is sealed") != std::string::npos; });
    letGo(here);
    const auto run = here.awaitEnd(running);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + here.log("worker"), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), 1, run.attempt);
    vault.seal(false);
    here.awaitState(waiting, "running");
    here.awaitLog(waiting, "started");
    letGo(here);
    CPPUNIT_ASSERT_EQUAL(std::string("passed"), here.awaitEnd(waiting).state);
    await("the worker is ready", [&] { return here.ask("GET", "/readyz", "", {}, "worker").status == 200; });
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
    // Its process dies too; what it asks for then waits for Vault.
    for (const pid_t pid : here.buildProcesses(id)) ::kill(pid, SIGKILL);
    letGo(here);
    here.awaitLog(id, "waiting for secret TOKEN: ");
    vault.seal(false);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL(1, run.attempt);
    here.awaitClean();
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VaultSealedTest);

}  // namespace
}  // namespace ocelot::test
