// What an operator grants a build: grace, timeout, memory. What a file asks for beyond it is cut or refused, and told.

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

InstallationOptions with(std::vector<std::string> set) {
  InstallationOptions options;
  options.set = std::move(set);
  return options;
}

std::string yml(const std::string& head, const std::string& script) {
  return "image: ocelot.local/busybox\n" + head + "stages:\n  - name: work\n    script: " + script + "\n";
}

class BoundsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BoundsTest);
  CPPUNIT_TEST(theOperatorsGraceHoldsForACancel);
  CPPUNIT_TEST(aLongerTimeoutIsCutAndTold);
  CPPUNIT_TEST(moreMemoryThanTheLimitIsRefusedBeforeAnythingIsMade);
  CPPUNIT_TEST_SUITE_END();

 public:
  void theOperatorsGraceHoldsForACancel() {
    Installation here(with({"worker.kill_grace=1s"}));
    const auto id =
        here.build(here.makeRepo("grace", yml("", "\"trap '' TERM; echo started; while true; do sleep 1; done\"")));
    here.awaitLog(id, "started");
    here.ask("POST", "/v1/builds/" + id + "/cancel");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("canceled"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("still running 1 s after SIGTERM; killing") != std::string::npos);
    here.awaitClean();
  }

  void aLongerTimeoutIsCutAndTold() {
    Installation here(with({"worker.max_build_timeout=3s"}));
    const auto run = here.runBuild(here.makeRepo("patient", yml("timeout: 2h\n", "sleep 600")));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("timed_out"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("ocelot.yml asks for timeout: 2h, and this worker gives at most 3s "
                                                 "(worker.max_build_timeout)") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("the build took longer than its timeout of 3 s, in stage `work` (ocelot.yml:4); "
                                     "ocelot.yml asks for 2 h, and worker.max_build_timeout gives no more"),
                         run.sentence);
  }

  void moreMemoryThanTheLimitIsRefusedBeforeAnythingIsMade() {
    Installation here(with({"worker.memory_limit=256MiB"}));
    const auto repo = here.makeRepo("greedy", yml("resources: {memory: 1g}\n", "echo never"));
    const auto run = here.runBuild(repo);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("error"), run.state);
    CPPUNIT_ASSERT_EQUAL(std::string("not_granted"), run.reason);
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.yml asks for more than this worker gives: resources.memory 1GiB, and "
                                     "worker.memory_limit is 256MiB; ask for less, or have an operator raise the "
                                     "limit"),
                         run.sentence);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find(run.sentence) != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("never") == std::string::npos);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("skipped"), run.stage("work").state);
    CPPUNIT_ASSERT_EQUAL(1, run.attempt);

    repo.git.write("ocelot.yml", yml("resources: {memory: 256m}\n", "echo granted"));
    repo.git.commit("less");
    CPPUNIT_ASSERT_EQUAL(std::string("passed"), here.runBuild(repo).state);
    here.awaitClean();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BoundsTest);

}  // namespace
}  // namespace ocelot::test
