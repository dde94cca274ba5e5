// Secrets are read when they are first asked for, and what happens meanwhile to the store, to the build's process and
// to the build itself.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

#include <fstream>
#include <memory>

#include "tests/support/fake_vault.hpp"
#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

// An installation whose builds have passes of a Vault that can be sealed.
struct PassScene {
  PassScene() {
    std::ofstream(folder.path + "/token") << "t0\n";
    InstallationOptions options;
    options.set = {"secrets.kind=vault", "vault.url=" + vault.url(), "vault.token_file=" + folder.path + "/token",
                   "vault.kv_version=2", "vault.build_role=ocelot-build"};
    here = std::make_unique<Installation>(options);
  }
  // How often something was asked of Vault with a pass.
  int byPass(const std::string& target) const {
    int count = 0;
    for (const auto& asked : vault.asked())
      count += asked.target == target && asked.header("x-vault-token").compare(0, 5, "pass-") == 0;
    return count;
  }
  std::string path(const RepoSeen& repo, const std::string& name) const {
    return "/v1/secret/data/ocelot/repo/" + repo.id + "/" + name;
  }

  FakeVault vault;
  const TempFolder folder;
  std::unique_ptr<Installation> here;
};

// Lets go on what waits for /workspace/NAME.
void put(const Installation& here, const std::string& name) {
  for (const pid_t pid : here.contained()) std::ofstream("/proc/" + std::to_string(pid) + "/root/workspace/" + name);
}

void killProcess(const Installation& here, const std::string& id) {
  const auto pids = here.buildProcesses(id);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, pids.size());
  ::kill(pids.front(), SIGKILL);
  await("the build has another process", [&] {
    const auto now = here.buildProcesses(id);
    return now.size() == 1 && now.front() != pids.front();
  });
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const char* const kWait = "until [ -e /workspace/go ]; do sleep 0.05; done\n";

class AsNeededTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AsNeededTest);
  CPPUNIT_TEST(aSecretIsWhatItIsWhenItIsFirstAskedFor);
  CPPUNIT_TEST(aPassLivesAsLongAsItsBuild);
  CPPUNIT_TEST(aBuildGoesOnWithItsPassAfterItsProcessWasKilled);
  CPPUNIT_TEST(aSealedVaultIsWaitedForAndTold);
  CPPUNIT_TEST(aStageWaitsNoLongerThanItMay);
  CPPUNIT_TEST(cancelGetsThroughWhileASecretIsWaitedFor);
  CPPUNIT_TEST(theWorkerRevokesThePassOfAProcessThatIsLost);
  CPPUNIT_TEST(aBuildWithoutSecretsAsksForNone);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aSecretIsWhatItIsWhenItIsFirstAskedFor() {
    Installation here;
    const auto repo = here.makeRepo(
        "changed",
        std::string("image: ocelot.local/busybox\nstages:\n  - name: one\n    secrets: [A]\n    script: |\n") +
            "      echo ready\n      " + kWait +
            "  - name: two\n    secrets: [A, B]\n    script: |\n"
            "      test \"$A\" = a-first-value\n      test \"$B\" = b-second-value\n"
            "      test \"$(/ocelot/guest secret get A)\" = a-first-value\n"
            "      test \"$(/ocelot/guest secret get B)\" = b-second-value\n"
            "  - name: three\n    secrets: [C]\n    script: echo never\n");
    for (const char* name : {"A", "B", "C"})
      here.setSecret(repo, name, std::string(1, static_cast<char>(*name + 32)) + "-first-value");
    const auto id = here.build(repo);
    here.awaitLog(id, "ready");
    here.setSecret(repo, "A", "a-second-value");  // too late: the build has the one that it was served
    here.setSecret(repo, "B", "b-second-value");
    const auto removed = here.ask("DELETE", "/v1/repos/test%2Fchanged/secrets/C");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(removed.body, 204, removed.status);
    put(here, "go");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.stage("two").state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("failed"), run.stage("three").state);
    const std::string sentence = run.stage("three").sentence;
    CPPUNIT_ASSERT_MESSAGE(sentence, holds(sentence, "secret C is not there for this repository"));
    CPPUNIT_ASSERT_MESSAGE(sentence, holds(sentence, "repo/" + repo.id + "/C"));
    CPPUNIT_ASSERT(!holds(run.log, "never"));
    here.awaitClean();
  }

  void aPassLivesAsLongAsItsBuild() {
    PassScene scene;
    Installation& here = *scene.here;
    const auto repo = here.makeRepo(
        "lives", std::string("image: ocelot.local/busybox\nstages:\n  - name: one\n    secrets: [A]\n    script: |\n") +
                     "      echo ready\n      " + kWait +
                     "  - name: two\n    secrets: [B]\n    script: echo it is $B\n");
    here.setSecret(repo, "A", "a-value-of-vaults");
    here.setSecret(repo, "B", "b-value-of-vaults");
    const auto id = here.build(repo);
    here.awaitLog(id, "ready");
    CPPUNIT_ASSERT_EQUAL(1, scene.byPass(scene.path(repo, "A")));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("nobody has asked for it", 0, scene.byPass(scene.path(repo, "B")));
    CPPUNIT_ASSERT_MESSAGE("the pass is good", !scene.vault.allRevoked());
    put(here, "go");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT(holds(run.log, "it is [MASKED]"));
    await("the pass is revoked", [&] { return scene.vault.allRevoked(); });
    here.awaitClean();
  }

  void aBuildGoesOnWithItsPassAfterItsProcessWasKilled() {
    PassScene scene;
    Installation& here = *scene.here;
    const auto repo = here.makeRepo(
        "adopted",
        std::string("image: ocelot.local/busybox\nstages:\n  - name: one\n    secrets: [A]\n    script: |\n") +
            "      i=0; while [ ! -e /workspace/go ]; do i=$((i+1)); echo \"$i: $A.\"; usleep 10000; done\n" +
            "  - name: two\n    secrets: [A, B]\n    script: echo they are $A and $B\n");
    here.setSecret(repo, "A", "a-value-of-vaults");
    here.setSecret(repo, "B", "b-value-of-vaults");
    const auto id = here.build(repo);
    Follower follower(here, id);
    for (const char* line : {"10: ", "100: "}) {  // the second time before and after a cursor was written
      follower.awaitText(line);
      killProcess(here, id);
    }
    put(here, "go");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL(1, run.attempt);
    CPPUNIT_ASSERT(holds(run.log, "they are [MASKED] and [MASKED]"));
    CPPUNIT_ASSERT(!holds(run.log, "of-vaults"));
    CPPUNIT_ASSERT_EQUAL(run.log, follower.awaitEnd());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("what was served is kept", 1, scene.byPass(scene.path(repo, "A")));
    CPPUNIT_ASSERT_EQUAL(1, scene.byPass(scene.path(repo, "B")));
    int made = 0;
    for (const auto& asked : scene.vault.asked()) made += asked.target == "/v1/auth/token/create/ocelot-build";
    CPPUNIT_ASSERT_EQUAL_MESSAGE("one pass", 1, made);
    await("the pass is revoked", [&] { return scene.vault.allRevoked(); });
    here.awaitClean();
  }

  void aSealedVaultIsWaitedForAndTold() {
    PassScene scene;
    Installation& here = *scene.here;
    const auto repo =
        here.makeRepo("sealed", std::string("image: ocelot.local/busybox\nstages:\n  - name: one\n    script: |\n") +
                                    "      echo ready\n      " + kWait +
                                    "  - name: two\n    secrets: [A]\n    script: echo it is $A\n");
    here.setSecret(repo, "A", "a-value-of-vaults");
    const auto id = here.build(repo);
    Follower follower(here, id);
    follower.awaitText("ready");
    scene.vault.seal();
    put(here, "go");
    follower.awaitText("waiting for secret A: ");
    killProcess(here, id);  // and the next one waits on
    scene.vault.seal(false);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log, holds(run.log, "[ocelot: waiting for secret A: "));
    CPPUNIT_ASSERT_MESSAGE(run.log, holds(run.log, "it is sealed; unseal it"));
    CPPUNIT_ASSERT_MESSAGE(run.log, holds(run.log, "it is [MASKED]"));
    CPPUNIT_ASSERT_EQUAL(run.log, follower.awaitEnd());
    await("the pass is revoked", [&] { return scene.vault.allRevoked(); });
    here.awaitClean();
  }

  void aStageWaitsNoLongerThanItMay() {
    PassScene scene;
    Installation& here = *scene.here;
    const auto repo = here.makeRepo(
        "late",
        std::string("image: ocelot.local/busybox\nstages:\n  - name: one\n    script: |\n      echo ready\n      ") +
            kWait + "  - name: two\n    timeout: 2s\n    secrets: [A]\n    script: echo never\n");
    here.setSecret(repo, "A", "a-value-of-vaults");
    const auto id = here.build(repo);
    here.awaitLog(id, "ready");
    scene.vault.seal();
    put(here, "go");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("timed_out"), run.stage("two").state);
    CPPUNIT_ASSERT_EQUAL(std::string("timed out after 2 s, waiting for secret A"), run.stage("two").sentence);
    CPPUNIT_ASSERT(!holds(run.log, "never"));
    scene.vault.seal(false);
    here.awaitClean();
  }

  void cancelGetsThroughWhileASecretIsWaitedFor() {
    PassScene scene;
    Installation& here = *scene.here;
    const auto repo = here.makeRepo(
        "canceled",
        std::string("image: ocelot.local/busybox\nstages:\n  - name: one\n    script: |\n      echo ready\n      ") +
            kWait + "  - name: two\n    secrets: [A]\n    script: echo never\n");
    here.setSecret(repo, "A", "a-value-of-vaults");
    const auto id = here.build(repo);
    here.awaitLog(id, "ready");
    scene.vault.seal();
    put(here, "go");
    here.awaitLog(id, "waiting for secret A: ");
    CPPUNIT_ASSERT_EQUAL(202, here.ask("POST", "/v1/builds/" + id + "/cancel").status);
    const auto run = here.awaitEnd(id, std::chrono::seconds(20));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("canceled"), run.state);
    scene.vault.seal(false);
    here.awaitClean();
  }

  void theWorkerRevokesThePassOfAProcessThatIsLost() {
    PassScene scene;
    Installation& here = *scene.here;
    const auto repo = here.makeRepo(
        "lost", std::string("image: ocelot.local/busybox\nstages:\n  - name: one\n    secrets: [A]\n    script: |\n") +
                    "      echo ready\n      " + kWait);
    here.setSecret(repo, "A", "a-value-of-vaults");
    const auto id = here.build(repo);
    here.awaitLog(id, "ready");
    for (int i = 0; i < 2; ++i) killProcess(here, id);
    for (const pid_t pid : here.buildProcesses(id)) ::kill(pid, SIGKILL);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("build_process_lost"), run.reason);
    await("the pass is revoked", [&] { return scene.vault.allRevoked(); });
    here.awaitClean();
  }

  void aBuildWithoutSecretsAsksForNone() {
    PassScene scene;
    Installation& here = *scene.here;
    const auto repo =
        here.makeRepo("none", "image: ocelot.local/busybox\nstages:\n  - name: one\n    script: ls /ocelot/control\n");
    here.setSecret(repo, "A", "a-value-of-vaults");
    const auto run = here.runBuild(repo);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log, !holds(run.log, "broker"));
    for (const auto& asked : scene.vault.asked())
      CPPUNIT_ASSERT_MESSAGE(asked.target, asked.target != "/v1/auth/token/create/ocelot-build");
    here.awaitClean();
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AsNeededTest);

}  // namespace
}  // namespace ocelot::test
