// NSQ as the queue of a whole installation: killed with -9 and its data wiped in the middle of everything, it delays
// builds and loses none.

#include <cppunit/extensions/HelperMacros.h>

#include <chrono>

#include "tests/support/installation.hpp"
#include "tests/support/nsqd.hpp"

namespace ocelot::test {
namespace {

using std::chrono::seconds;

const char* const kShort = "image: ocelot.local/busybox\nstages: [{name: work, script: echo done}]\n";
const char* const kTagged = "image: ocelot.local/busybox\nmachineTag: gpu\nstages: [{name: work, script: echo done}]\n";

InstallationOptions onNsq(const std::string& nsqd) {
  InstallationOptions options;
  options.set = {"queue.kind=nsq", "queue.nsqd=" + nsqd, "admin.reconcile_interval=1s", "worker.tags=gpu"};
  return options;
}

class NsqTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NsqTest);
  CPPUNIT_TEST(anNsqdThatDiesAndForgetsLosesNoBuild);
  CPPUNIT_TEST(oneOfTwoNsqdIsEnough);
  CPPUNIT_TEST_SUITE_END();

  static bool saysQueueIsDown(Installation& here, const std::string& daemon) {
    const auto answer = here.ask("GET", "/readyz", "", {}, daemon);
    return answer.status == 503 && answer.body.find(R"("name":"queue")") != std::string::npos;
  }

  static void allPass(Installation& here, const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
      const auto run = here.awaitEnd(id);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("passed"), run.state);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), 1, run.attempt);
    }
  }

 public:
  void anNsqdThatDiesAndForgetsLosesNoBuild() {
    Installation::need();
    Nsqd nsqd;
    Installation here(onNsq(nsqd.address()));
    const auto repo = here.makeRepo("short", kShort), tagged = here.makeRepo("tagged", kTagged);
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(here.build(i == 1 ? tagged : repo));
    nsqd.kill();
    nsqd.wipe();
    for (int i = 0; i < 3; ++i) ids.push_back(here.build(i == 1 ? tagged : repo));
    for (const std::string daemon : {"admin", "worker"})
      await(daemon + " says that the queue is away", [&] { return saysQueueIsDown(here, daemon); });
    allPass(here, ids);

    nsqd.start();
    for (const std::string daemon : {"admin", "worker"})
      await(daemon + " is well again", [&] { return here.ask("GET", "/readyz", "", {}, daemon).status == 200; });
    ids = {here.build(repo), here.build(tagged)};
    allPass(here, ids);
    await("every wake-up has served", [&] {
      return nsqd.depth("build") + nsqd.inFlight("build") + nsqd.depth("build_gpu") + nsqd.inFlight("build_gpu") == 0;
    });
  }

  void oneOfTwoNsqdIsEnough() {
    Installation::need();
    Nsqd one, two;
    Installation here(onNsq(one.address() + "," + two.address()));
    const auto repo = here.makeRepo("short", kShort);
    for (auto* dead : {&one, &two}) {
      dead->kill();
      const auto id = here.build(repo);
      allPass(here, {id});
      CPPUNIT_ASSERT(!saysQueueIsDown(here, "admin"));
      dead->wipe();
      dead->start();
      await("both daemons speak to it again", [&] {
        return dead->get("/stats?format=json&topic=build").find("\"client_count\":1") != std::string::npos;
      });
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NsqTest);

}  // namespace
}  // namespace ocelot::test
