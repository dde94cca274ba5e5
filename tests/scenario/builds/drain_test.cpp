// A worker that a person drains finishes what it runs and takes nothing new, also after it was started again, until
// that is undone; the other worker does its work meanwhile.

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

constexpr const char* kGated =
    "image: ocelot.local/busybox\nstages:\n  - name: work\n    script: |\n"
    "      echo begun\n      sleep 600 &\n      trap 'exit 0' TERM\n      wait\n";
constexpr const char* kShort = "image: ocelot.local/busybox\nstages:\n  - name: work\n    script: echo done\n";

class DrainTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DrainTest);
  CPPUNIT_TEST(aDrainedWorkerFinishesWhatItRunsAndTakesNothingNew);
  CPPUNIT_TEST_SUITE_END();

  static std::string firstWord(const std::string& path) {
    const std::string text = readFile(path);
    return text.substr(0, text.find('\n'));
  }

  static Poco::JSON::Object::Ptr worker(Installation& here, const std::string& id) {
    const auto answer =
        Poco::JSON::Parser().parse(here.ask("GET", "/v1/workers").body).extract<Poco::JSON::Object::Ptr>();
    const auto workers = answer->getArray("workers");
    for (unsigned i = 0; i < workers->size(); ++i)
      if (workers->getObject(i)->getValue<std::string>("id") == id) return workers->getObject(i);
    return nullptr;
  }

  static void awaitNote(Installation& here, const std::string& id, const std::string& note) {
    await("worker " + id + " has the note \"" + note + "\"", [&] {
      const auto shown = worker(here, id);
      return shown && shown->getValue<bool>("online") && shown->getValue<std::string>("note") == note;
    });
  }

  static std::string workerOf(Installation& here, const std::string& build) {
    return Poco::JSON::Parser()
        .parse(here.ask("GET", "/v1/builds/" + build).body)
        .extract<Poco::JSON::Object::Ptr>()
        ->getValue<std::string>("worker");
  }

 public:
  void aDrainedWorkerFinishesWhatItRunsAndTakesNothingNew() {
    const TempFolder images;  // of both workers
    InstallationOptions options;
    options.runtimes = "[{oci: {store: " + images.path + "}}]";
    options.set = {"worker.heartbeat=1s"};
    Installation here(options);
    const std::string first = firstWord(here.dataDir() + "/worker-id");
    const auto slow = here.makeRepo("slow", kGated), quick = here.makeRepo("quick", kShort);

    const auto running = here.build(slow);
    here.awaitLog(running, "begun");
    CPPUNIT_ASSERT_EQUAL(first, workerOf(here, running));
    CPPUNIT_ASSERT_EQUAL(200, here.ask("POST", "/v1/workers/" + first + "/drain").status);
    awaitNote(here, first, "drained by test");
    CPPUNIT_ASSERT_EQUAL(std::string("running"), here.show(running).state);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, worker(here, first)->getArray("builds")->size());

    // Nobody else is there: a build waits, and says why.
    const auto waiting = here.build(quick);
    await("the build says why it waits",
          [&] { return here.show(waiting).waiting.find("takes no builds: drained by test") != std::string::npos; });

    here.start("worker2");
    const std::string second = firstWord(here.folder() + "/data2/worker-id");
    const auto taken = here.awaitEnd(waiting);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(taken.text(), std::string("passed"), taken.state);
    CPPUNIT_ASSERT_EQUAL(second, workerOf(here, waiting));

    // It is drained still when it comes back, with the build that it ran.
    here.kill("worker");
    here.start("worker");
    awaitNote(here, first, "drained by test");
    for (int i = 0; i < 3; ++i) {
      const auto run = here.runBuild(quick);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
      CPPUNIT_ASSERT_EQUAL(second, workerOf(here, run.id));
    }
    const auto still = here.show(running);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(still.text(), std::string("running"), still.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(still.text(), 1, still.attempt);
    CPPUNIT_ASSERT_EQUAL(202, here.ask("POST", "/v1/builds/" + running + "/cancel").status);
    CPPUNIT_ASSERT_EQUAL(std::string("canceled"), here.awaitEnd(running).state);

    here.kill("worker2");
    CPPUNIT_ASSERT_EQUAL(204, here.ask("DELETE", "/v1/workers/" + first + "/drain").status);
    const auto after = here.runBuild(quick);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(after.text(), std::string("passed"), after.state);
    CPPUNIT_ASSERT_EQUAL(first, workerOf(here, after.id));
    awaitNote(here, first, "");
    here.awaitClean();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DrainTest);

}  // namespace
}  // namespace ocelot::test
