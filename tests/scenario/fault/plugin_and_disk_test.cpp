// A plugin that crashes, and a disk that is full: one build's bad luck, and not the worker's.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

#include <filesystem>

#include "tests/support/installation.hpp"
#include "tests/support/small_disk.hpp"

namespace ocelot::test {
namespace {

const char* const kHello = "image: ocelot.local/busybox\nstages:\n  - name: hello\n    script: echo hello\n";

class PluginAndDiskTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PluginAndDiskTest);
  CPPUNIT_TEST(aPluginThatCrashesInStartFailsOneBuildAndTheWorkerGoesOn);
  CPPUNIT_TEST(aFullDiskEndsTheBuildAndTheWorkerComesBack);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aPluginThatCrashesInStartFailsOneBuildAndTheWorkerGoesOn() {
    Installation here;
    const auto repo = here.makeRepo("segv", kHello);
    CPPUNIT_ASSERT_EQUAL(std::string("passed"), here.runBuild(repo).state);
    here.kill("worker");
    here.configure({std::string("plugins.folders=") + OCELOT_TEST_PLUGINS}, "[segv]");
    here.start("worker");
    const pid_t worker = here.pid("worker");
    for (int turn = 0; turn < 2; ++turn) {
      const auto run = here.runBuild(repo);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("error"), run.state);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("plugin_crashed"), run.reason);
      CPPUNIT_ASSERT_EQUAL(std::string("runtime plugin 'segv' crashed in start (SIGSEGV)"), run.sentence);
      CPPUNIT_ASSERT_EQUAL(1, run.attempt);
    }
    CPPUNIT_ASSERT_EQUAL(200, here.ask("GET", "/healthz", "", {}, "worker").status);
    CPPUNIT_ASSERT_EQUAL(worker, here.pid("worker"));
    here.kill("worker", SIGTERM);
    here.configure({});
    here.start("worker");
    const auto run = here.runBuild(repo);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    here.awaitClean();
  }

  void aFullDiskEndsTheBuildAndTheWorkerComesBack() {
    Installation::need();
    const SmallDisk disk("64m");
    const TempFolder images;
    InstallationOptions options;
    options.data_dir = disk.path();
    options.runtimes = "[{oci: {store: " + images.path + "}}]";
    options.set = {"worker.min_free_disk=24MiB", "worker.log_limit=1GiB"};
    Installation here(options);
    const auto repo =
        here.makeRepo("full", "image: ocelot.local/busybox\nstages:\n  - name: flood\n    script: seq 1 30000000\n");
    const auto full = here.build(repo);
    BuildSeen run;
    await("the build ends", [&] {
      try {
        return (run = here.show(full)).final();
      } catch (const std::runtime_error&) {
        return false;  // while nothing can be written, the API may say so instead
      }
    });
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + here.log("worker"), std::string("error"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.text(), run.sentence.find("disk is full") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("disk_full"), run.reason);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("failed"), run.stage("flood").state);
    const std::string log = here.storedLog(full);
    CPPUNIT_ASSERT_EQUAL(run.log_sha256, sha256Hex(log));
    CPPUNIT_ASSERT(log.find("disk is full") != std::string::npos);
    here.awaitClean();
    // Somebody else fills the disk: no build is taken, and why is told.
    std::filesystem::path filler = disk.path() + "/filler";
    here.run({"dd", "if=/dev/zero", "of=" + filler.string(), "bs=1024k",
              "count=" + std::to_string((std::filesystem::space(disk.path()).available >> 20) - 10)});
    const auto hello = here.makeRepo("hello", kHello);
    const auto id = here.build(hello);
    await("the queued build says why it waits",
          [&] { return here.show(id).waiting.find("no space") != std::string::npos; });
    CPPUNIT_ASSERT_EQUAL(std::string("queued"), here.show(id).state);
    std::filesystem::remove(filler);
    const auto after = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(after.text(), std::string("passed"), after.state);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PluginAndDiskTest);

}  // namespace
}  // namespace ocelot::test
