// A secret is in the stage that asked for it and nowhere else.

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

namespace fs = std::filesystem;

const char* const kCanary = "canary-7c1f93be-Xq#42!";
const char* const kCanaryBase64 = "Y2FuYXJ5LTdjMWY5M2JlLVhxIzQyI";

// Which files below `folder` hold the canary, in the clear or in base64.
std::vector<std::string> filesWithCanary(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code gone;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, gone), end; at != end;
       at.increment(gone)) {
    if (!at->is_regular_file(gone)) continue;
    const std::string text = readFile(at->path());
    if (text.find(kCanary) != std::string::npos || text.find(kCanaryBase64) != std::string::npos)
      out.push_back(at->path());
  }
  return out;
}

std::string withCanary(const std::vector<std::string>& names) {
  std::string text = "the canary is in:";
  for (const auto& name : names) text += " " + name;
  return text;
}

class SecretsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SecretsTest);
  CPPUNIT_TEST(aSecretIsNowhereButInItsStage);
  CPPUNIT_TEST(aSecretIsMaskedAlikeAfterTheBuildProcessWasKilled);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aSecretIsNowhereButInItsStage() {
    Installation here;
    const auto repo =
        here.makeRepo("canary",
                      "image: ocelot.local/busybox\nstages:\n  - name: use\n    secrets: [CANARY]\n    script: |\n"
                      "      echo \"it is $CANARY\"\n      printf %s \"$CANARY\" | base64\n      printf %s \"$CANARY\" "
                      "| cut -c1-7 | tr -d '\\n'\n"
                      "      usleep 50000\n      printf %s \"$CANARY\" | cut -c8-\n      echo started\n"
                      "      until [ -e /workspace/go ]; do sleep 0.1; done\n");
    here.setSecret(repo, "CANARY", kCanary);
    std::atomic<bool> stop{false};
    std::vector<std::string> seen;
    std::thread watch([&] {  // command lines of every process, all the time
      for (; !stop; ::poll(nullptr, 0, 10))
        for (fs::directory_iterator at("/proc"), end; at != end; ++at)
          if (readFile(at->path() / "cmdline").find(kCanary) != std::string::npos) seen.push_back(at->path());
    });
    const auto id = here.build(repo);
    std::string while_running;
    try {
      here.awaitLog(id, "started");
      while_running = withCanary(filesWithCanary(here.dataDir()));
      for (const pid_t pid : here.contained())
        if (readFile("/proc/" + std::to_string(pid) + "/cmdline").compare(0, 13, "/ocelot/guest") == 0)
          here.run({"touch", "/proc/" + std::to_string(pid) + "/root/workspace/go"});
      here.awaitEnd(id);
    } catch (...) {
      stop = true;
      watch.join();
      throw;
    }
    stop = true;
    watch.join();
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL(withCanary({}), while_running);
    CPPUNIT_ASSERT_EQUAL(withCanary({}), withCanary(seen));
    here.awaitClean();
    // Data, run folder, daemons' logs, the test's home: all lie in this folder.
    CPPUNIT_ASSERT_EQUAL(withCanary({}), withCanary(filesWithCanary(here.folder())));
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("7c1f93be") == std::string::npos);
    for (const std::string& path : std::vector<std::string>{"/v1/builds/" + id, "/v1/repos/test%2Fcanary/secrets",
                                                            "/v1/builds/" + id + "/log?format=ndjson"})
      CPPUNIT_ASSERT_MESSAGE(path, here.ask("GET", path).body.find("7c1f93be") == std::string::npos);
  }

  void aSecretIsMaskedAlikeAfterTheBuildProcessWasKilled() {
    Installation here;
    const auto repo =
        here.makeRepo("masked",
                      "image: ocelot.local/busybox\nstages:\n  - name: use\n    secrets: [CANARY]\n    script: |\n"
                      "      i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo \"$i: $CANARY.\"; usleep 20000; done\n");
    here.setSecret(repo, "CANARY", kCanary);
    const auto id = here.build(repo);
    Follower follower(here, id);
    follower.awaitText("20: ");
    // Changed meanwhile: what the stage has is still the old one.
    here.setSecret(repo, "CANARY", "another value altogether");
    const auto pids = here.buildProcesses(id);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, pids.size());
    ::kill(pids.front(), SIGKILL);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("7c1f93be") == std::string::npos);
    CPPUNIT_ASSERT(run.log.find("200: ") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(run.log, follower.awaitEnd());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SecretsTest);

}  // namespace
}  // namespace ocelot::test
