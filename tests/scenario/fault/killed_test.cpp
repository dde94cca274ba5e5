// Whoever is killed while a build runs: the same attempt goes on, and its log has every line once and in order, in the
// store and for a follower that was there all the time.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

constexpr int kLines = 300;

const char* const kCounting =
    "image: ocelot.local/busybox\nstages:\n  - name: count\n    script: |\n"
    "      i=0\n      while [ $i -lt 300 ]; do i=$((i+1)); echo \"line $i\"; [ $((i % 3)) = 0 ] || echo \"err $i\" "
    ">&2; usleep 20000; done\n"
    "  - name: after\n    script: echo the end\n";

void mustCount(const std::string& log, const char* word, const std::function<bool(int)>& counts) {
  int next = 1;
  const auto advance = [&] {
    while (next <= kLines && !counts(next)) ++next;
  };
  advance();
  const std::string start = std::string(word) + " ";
  for (std::size_t begin = 0; begin < log.size();) {
    const std::size_t end = std::min(log.find('\n', begin), log.size());
    if (log.compare(begin, start.size(), start) == 0) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE("lines of " + start + " in the log", start + std::to_string(next),
                                   log.substr(begin, end - begin));
      ++next;
      advance();
    }
    begin = end + 1;
  }
  CPPUNIT_ASSERT_EQUAL_MESSAGE("the log breaks off", kLines + 1, next);
}

void mustBeWhole(const std::string& log) {
  mustCount(log, "line", [](int) { return true; });
  mustCount(log, "err", [](int i) { return i % 3 != 0; });
}

class KilledTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KilledTest);
  CPPUNIT_TEST(theWorker);
  CPPUNIT_TEST(theBuildProcess);
  CPPUNIT_TEST(workerAndBuildProcess);
  CPPUNIT_TEST(theWorkerAgainAndAgain);
  CPPUNIT_TEST(theAdminWhileFollowersRead);
  CPPUNIT_TEST(everyDaemon);
  CPPUNIT_TEST(theWorkerWhenTheBuildHasEndedMeanwhile);
  CPPUNIT_TEST(theContainer);
  CPPUNIT_TEST_SUITE_END();

 public:
  void theWorker() {
    during([](Installation& here, const std::string&) {
      here.kill("worker");
      here.start("worker");
    });
  }

  void theBuildProcess() { during(&killBuildProcess); }

  void workerAndBuildProcess() {
    during([](Installation& here, const std::string& id) {
      here.kill("worker");
      killBuildProcess(here, id);
      here.start("worker");
    });
  }

  void theWorkerAgainAndAgain() {
    during([](Installation& here, const std::string& id) {
      for (int turn = 0; turn < 4; ++turn) {
        here.kill("worker");
        if (turn % 2) killBuildProcess(here, id);
        here.start("worker");
        await("a build process works again", [&] { return here.buildProcesses(id).size() == 1; });
      }
    });
  }

  void theAdminWhileFollowersRead() {
    during([](Installation& here, const std::string&) {
      here.kill("admin");
      here.start("admin");
    });
  }

  void everyDaemon() {
    during([](Installation& here, const std::string& id) {
      for (const char* daemon : {"admin", "worker"}) here.kill(daemon);
      killBuildProcess(here, id);
      for (const char* daemon : {"admin", "worker"}) here.start(daemon);
    });
  }

  void theWorkerWhenTheBuildHasEndedMeanwhile() {
    during([](Installation& here, const std::string& id) {
      here.kill("worker");
      await("the build ends by itself", [&] { return here.buildProcesses(id).empty(); });
      CPPUNIT_ASSERT(here.contained().empty());
      CPPUNIT_ASSERT_EQUAL(std::string("running"), here.show(id).state);
      here.start("worker");
    });
  }

  void theContainer() {
    Installation here;
    const auto id = here.build(here.makeRepo("count", kCounting));
    here.awaitLog(id, "line 20\n");
    for (const pid_t pid : here.contained()) ::kill(pid, SIGKILL);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("error"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("container_lost"), run.reason);
    here.awaitClean();
  }

 private:
  static std::int64_t relayed(Installation& here) {
    const std::string figure = "\nocelot_log_relayed_bytes_total ", text = here.ask("GET", "/metrics").body;
    const auto at = text.find(figure);
    return at == std::string::npos ? 0 : std::atoll(text.c_str() + at + figure.size());
  }
  static void killBuildProcess(Installation& here, const std::string& id) {
    const auto pids = here.buildProcesses(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("build processes", std::size_t{1}, pids.size());
    ::kill(pids.front(), SIGKILL);
    await("the build process ends", [&] {
      const auto now = here.buildProcesses(id);
      return now.empty() || now.front() != pids.front();
    });
  }

  void during(const std::function<void(Installation&, const std::string&)>& happens) {
    Installation here;
    const auto id = here.build(here.makeRepo("count", kCounting));
    Follower at_worker(here, id), at_admin(here, id, "&via=admin");
    at_worker.awaitText("line 40\n");
    at_admin.awaitText("line 40\n");
    CPPUNIT_ASSERT_MESSAGE("the follower at admin hears the worker itself", relayed(here) > 0);
    happens(here, id);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + here.log("worker"), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), 1, run.attempt);
    mustBeWhole(run.log);
    CPPUNIT_ASSERT(run.log.find("the end\n") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(sha256Hex(run.log), run.log_sha256);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the follower at the worker", run.log, at_worker.awaitEnd());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the follower at admin", run.log, at_admin.awaitEnd());
    here.awaitClean();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KilledTest);

}  // namespace
}  // namespace ocelot::test
