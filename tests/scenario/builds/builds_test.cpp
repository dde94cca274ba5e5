// What people do with builds, and what builds may not do to people.

#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <csignal>
#include <filesystem>

#include "tests/support/installation.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

Installation& installation() {
  static Installation one;
  return one;
}

std::string yml(const std::string& script, const std::string& more = "") {
  std::string out = "image: ocelot.local/busybox\n" + more + "stages:\n  - name: work\n    script: |\n";
  for (std::size_t begin = 0; begin < script.size();) {
    const std::size_t end = std::min(script.find('\n', begin), script.size());
    out += "      " + script.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

class BuildsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BuildsTest);
  CPPUNIT_TEST(aRunningBuildIsCanceled);
  CPPUNIT_TEST(aStageThatIgnoresTermIsKilledAfterItsGrace);
  CPPUNIT_TEST(aQueuedBuildIsCanceledAtOnce);
  CPPUNIT_TEST(aBuildThatOutlivesItsTimeoutIsEndedThoughItIgnoresTerm);
  CPPUNIT_TEST(aRerunBuildsTheSameCommitAlthoughTheBranchMoved);
  CPPUNIT_TEST(aRepositoryWithoutAFileIsToldSo);
  CPPUNIT_TEST(twoBuildsRunAtOnceAndTheThirdSaysWhyItWaits);
  CPPUNIT_TEST(aFollowerSeesLinesBeforeTheStageEnds);
  CPPUNIT_TEST(aKillAfterACancelDoesNotWaitForTheGrace);
  CPPUNIT_TEST(aWorkerThatEndsLeavesNoNetwork);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aRunningBuildIsCanceled() {
    Installation& here = installation();
    const auto id =
        here.build(here.makeRepo("cancel", yml("trap 'echo goodbye; exit 3' TERM\necho started\nsleep 600 & wait\n")));
    here.awaitLog(id, "started");
    const auto asked = Clock::now();
    CPPUNIT_ASSERT_EQUAL(202, here.ask("POST", "/v1/builds/" + id + "/cancel").status);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("canceled"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("canceled"), run.stage("work").state);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("goodbye") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE("it took longer than the grace", Clock::now() - asked < seconds(20));
    here.awaitClean();
  }

  void aStageThatIgnoresTermIsKilledAfterItsGrace() {
    Installation& here = installation();
    const auto id =
        here.build(here.makeRepo("stubborn", yml("trap '' TERM\necho started\nwhile true; do sleep 1; done\n")));
    here.awaitLog(id, "started");
    here.ask("POST", "/v1/builds/" + id + "/cancel");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("canceled"), run.state);
    here.awaitClean();
  }

  void aQueuedBuildIsCanceledAtOnce() {
    Installation& here = installation();
    const auto repo = here.makeRepo("queued", yml("echo never", "machineTag: gpu\n"));
    const auto id = here.build(repo);
    const auto queued = here.show(id);
    CPPUNIT_ASSERT_EQUAL(std::string("queued"), queued.state);
    CPPUNIT_ASSERT_MESSAGE(queued.waiting, queued.waiting.find("gpu") != std::string::npos);
    here.ask("POST", "/v1/builds/" + id + "/cancel");
    const auto run = here.awaitEnd(id, seconds(5));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("canceled"), run.state);
    CPPUNIT_ASSERT_EQUAL(0, run.attempt);
  }

  void aBuildThatOutlivesItsTimeoutIsEndedThoughItIgnoresTerm() {
    Installation& here = installation();
    const auto run = here.runBuild(here.makeRepo(
        "overdue",
        yml("trap '' TERM\nsetsid sh -c \"trap '' TERM; sleep 601\" &\necho started\nwhile true; do sleep 1; done\n",
            "timeout: 2s\n")));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("timed_out"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("build_timeout"), run.reason);
    CPPUNIT_ASSERT_MESSAGE(run.sentence, run.sentence.find("2 s") != std::string::npos);
    here.awaitClean();
  }

  void aRerunBuildsTheSameCommitAlthoughTheBranchMoved() {
    Installation& here = installation();
    const auto repo = here.makeRepo("rerun", yml("cat word"), {{"word", "first word\n"}});
    const auto first = here.runBuild(repo);
    repo.git.write("word", "second word\n");
    repo.git.commit("second");
    CPPUNIT_ASSERT_EQUAL(201, here.ask("POST", "/v1/builds/" + first.id + "/rerun").status);
    const auto run = here.awaitEnd(here.builds().front().id);
    CPPUNIT_ASSERT_EQUAL(first.commit, run.commit);
    CPPUNIT_ASSERT_EQUAL(first.id, run.rerun_of);
    CPPUNIT_ASSERT_EQUAL(std::string("rerun"), run.trigger);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("first word") != std::string::npos);
    const auto newest = here.runBuild(repo);
    CPPUNIT_ASSERT_MESSAGE(newest.log, newest.log.find("second word") != std::string::npos);
  }

  void aRepositoryWithoutAFileIsToldSo() {
    Installation& here = installation();
    const auto repo = here.makeRepo("empty", "", {{"README", "nothing to build\n"}});
    const auto answer = here.ask("POST", "/v1/builds", "{\"repo\":\"" + repo.name + "\",\"branch\":\"main\"}");
    const auto said = answer.body;
    CPPUNIT_ASSERT_MESSAGE(std::to_string(answer.status) + said, said.find("ocelot.yml") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(said, said.find("\"queued\"") == std::string::npos);
  }

  void twoBuildsRunAtOnceAndTheThirdSaysWhyItWaits() {
    Installation& here = installation();
    const auto repo = here.makeRepo("slots", yml("echo started\nuntil [ -e /tmp/never ]; do sleep 1; done\n"));
    const std::vector<std::string> ids{here.build(repo), here.build(repo), here.build(repo)};
    here.awaitLog(ids[0], "started");
    here.awaitLog(ids[1], "started");
    const auto third = here.show(ids[2]);
    CPPUNIT_ASSERT_EQUAL(std::string("queued"), third.state);
    CPPUNIT_ASSERT_MESSAGE("it does not say why it waits", !third.waiting.empty());
    here.ask("POST", "/v1/builds/" + ids[0] + "/cancel");
    here.awaitState(ids[2], "running");
    for (const auto& id : ids) {
      here.ask("POST", "/v1/builds/" + id + "/cancel");
      CPPUNIT_ASSERT_EQUAL(std::string("canceled"), here.awaitEnd(id).state);
    }
    here.awaitClean();
  }

  void aFollowerSeesLinesBeforeTheStageEnds() {
    Installation& here = installation();
    const auto id =
        here.build(here.makeRepo("follow", yml("echo one\nuntil [ -e go ]; do sleep 0.1; done\necho two\n")));
    Follower follower(here, id);
    follower.awaitText("one\n");
    CPPUNIT_ASSERT_EQUAL(std::string("running"), here.show(id).state);
    // The workspace is a bind of the checkout: seen from the container's root.
    const auto inside = here.contained();
    CPPUNIT_ASSERT(!inside.empty());
    here.run({"touch", "/proc/" + std::to_string(inside.front()) + "/root/workspace/go"});
    const std::string all = follower.awaitEnd();
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL(run.log, all);
  }

  void aKillAfterACancelDoesNotWaitForTheGrace() {
    InstallationOptions options;
    options.set = {"worker.kill_grace=100s"};
    Installation here(options);
    const auto id = here.build(
        here.makeRepo("patient", yml("trap 'echo heard' TERM\necho started\nwhile true; do sleep 0.1 || :; done\n")));
    here.awaitLog(id, "started");
    here.ask("POST", "/v1/builds/" + id + "/cancel");
    here.awaitLog(id, "heard");
    // As the worker does when it learns that the build is another's.
    const auto asked = Clock::now();
    const std::string file = here.runDir() + "/builds/" + id + "/cancel";
    here.run({"sh", "-c", "printf kill > " + file + ".new && mv " + file + ".new " + file});
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("canceled"), run.state);
    CPPUNIT_ASSERT_MESSAGE("it waited for the grace", Clock::now() - asked < seconds(60));
    here.awaitClean();
  }

  void aWorkerThatEndsLeavesNoNetwork() {
    InstallationOptions options;
    options.set = {"worker.network=bridge"};
    Installation here(options);
    const auto run = here.runBuild(here.makeRepo("bridge", yml("ip route | grep default")));
    if (run.sentence.find("bridge network: ") != std::string::npos) skip(run.sentence);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("passed"), run.state);
    here.awaitClean();
    const std::string chosen = readFile(here.runDir() + "/oci/network/chosen");
    const std::string bridge = "/sys/class/net/" + chosen.substr(0, chosen.find(' '));
    CPPUNIT_ASSERT_MESSAGE("kept for the next build", std::filesystem::exists(bridge));
    await("the container's end of the cable is gone", [&] { return std::filesystem::is_empty(bridge + "/brif"); });
    here.kill("worker", SIGTERM);
    CPPUNIT_ASSERT(!std::filesystem::exists(bridge));
    const std::string rules = here.run({"iptables-save"});
    CPPUNIT_ASSERT_MESSAGE(rules, rules.find(bridge.substr(bridge.rfind('/') + 1)) == std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BuildsTest);

}  // namespace
}  // namespace ocelot::test
