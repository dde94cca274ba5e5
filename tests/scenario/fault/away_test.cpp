// A worker that is away for longer than its lease: its build has stopped by itself before the next attempt starts.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

#include <chrono>
#include <set>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

const char* const kWaiting =
    "image: ocelot.local/busybox\nstages:\n  - name: wait\n    script: |\n"
    "      echo started\n      (trap '' TERM; setsid sleep 600) &\n      until [ -e /workspace/go ]; do sleep 0.1; "
    "done\n";

InstallationOptions shortLease() {
  InstallationOptions options;
  options.set = {"worker.lease=6s", "worker.heartbeat=1s", "admin.reconcile_interval=1s"};
  return options;
}

void letGo(Installation& here) {
  for (const pid_t pid : here.contained())
    if (readFile("/proc/" + std::to_string(pid) + "/cmdline").compare(0, 13, "/ocelot/guest") == 0)
      here.run({"touch", "/proc/" + std::to_string(pid) + "/root/workspace/go"});
}

class AwayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AwayTest);
  CPPUNIT_TEST(aWorkerThatHangsLosesItsBuildAndTakesItAgain);
  CPPUNIT_TEST(anotherWorkerTakesWhatADeadOneLeft);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aWorkerThatHangsLosesItsBuildAndTakesItAgain() {
    Installation here(shortLease());
    const auto id = here.build(here.makeRepo("away", kWaiting));
    here.awaitLog(id, "started");
    here.signal("worker", SIGSTOP);
    const auto stopped = Clock::now();
    // The guest is gone while the build is still this worker's: nobody could have taken it yet.
    await(
        "the guest stops by itself", [&] { return here.contained().empty(); }, seconds(20));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the lease ended before the guest did", std::string("running"), here.show(id).state);
    CPPUNIT_ASSERT(Clock::now() - stopped < seconds(7));
    const auto queued = here.awaitState(id, "queued", seconds(30));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(queued.text(), std::string("worker_lost"), queued.reason);
    here.signal("worker", SIGCONT);
    await("attempt 2 runs", [&] { return here.show(id).attempt == 2 && !here.contained().empty(); });
    here.awaitLog(id, "started");
    letGo(here);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), 2, run.attempt);
    CPPUNIT_ASSERT_EQUAL(sha256Hex(run.log), run.log_sha256);
    here.awaitClean();
  }

  void anotherWorkerTakesWhatADeadOneLeft() {
    auto options = shortLease();
    const TempFolder images;
    options.runtimes = "[{oci: {store: " + images.path + "}}]";
    Installation here(options);
    const auto id = here.build(here.makeRepo("away", kWaiting));
    here.awaitLog(id, "started");
    here.start("worker2");
    here.kill("worker");
    // From here on no two containers at any moment: seen every few milliseconds by their first processes.
    const std::set<pid_t> before = guests(here);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, before.size());
    std::size_t most = 0;
    await("attempt 2 runs", [&] {
      const auto now = guests(here);
      most = std::max(most, now.size());
      return here.show(id).attempt == 2 && !now.empty() && now != before;
    });
    CPPUNIT_ASSERT_EQUAL_MESSAGE("two attempts at once", std::size_t{1}, most);
    here.awaitLog(id, "started");
    letGo(here);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), 2, run.attempt);
    here.start("worker");  // clears up what its predecessor left
    here.awaitClean();
  }

 private:
  // Process 1 of each container, by its number here.
  static std::set<pid_t> guests(const Installation& here) {
    std::set<pid_t> out;
    for (const pid_t pid : here.contained()) {
      const std::string status = readFile("/proc/" + std::to_string(pid) + "/status");
      const std::size_t inside = status.find("\nNSpid:");
      if (inside != std::string::npos && status.compare(status.find('\n', inside + 1) - 2, 2, "\t1") == 0)
        out.insert(pid);
    }
    return out;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AwayTest);

}  // namespace
}  // namespace ocelot::test
