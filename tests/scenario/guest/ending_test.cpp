// How stages and builds end: exit codes, time-outs, cancel, a worker that is gone; and that nothing outlives them.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "tests/scenario/guest/guest_box.hpp"

namespace {

using namespace ocelot::test;
using ocelot::journal::Ending;

std::string mark(const GuestBox& box) { return box.folder().substr(5) + "-mark"; }

// A process that is known by its command line and lives until somebody ends it.
std::string longLived(const GuestBox& box) { return "sh -c 'while :; do sleep 1000; done' " + mark(box); }

double secondsOf(const std::function<void()>& what) {
  const auto begin = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class GuestEndingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GuestEndingTest);
  CPPUNIT_TEST(passesWhenEveryStagePasses);
  CPPUNIT_TEST(failsWithTheStagesExitCode);
  CPPUNIT_TEST(stopsAScriptAtItsFirstFailingCommand);
  CPPUNIT_TEST(tellsWhichSignalKilledAStage);
  CPPUNIT_TEST(runsOnlyAlwaysStagesAfterAFailure);
  CPPUNIT_TEST(skipsAStageWhoseConditionsAreNotMet);
  CPPUNIT_TEST(passesAnEmptyPlan);
  CPPUNIT_TEST(endsAStageThatIgnoresTermAfterTheGrace);
  CPPUNIT_TEST(letsAStageCleanUpWithinTheGrace);
  CPPUNIT_TEST(letsWhatTheShellStartedCleanUpWithinTheGrace);
  CPPUNIT_TEST(runsAlwaysStagesAfterAStageTimedOut);
  CPPUNIT_TEST(skipsEverythingAfterTheBuildTimedOut);
  CPPUNIT_TEST(cancelsOnTerm);
  CPPUNIT_TEST(cancelsBeforeTheFirstStage);
  CPPUNIT_TEST(killsAtOnceOnTheSecondTerm);
  CPPUNIT_TEST(ignoresTermFromInsideTheContainer);
  CPPUNIT_TEST(abandonsWhenAliveStandsStill);
  CPPUNIT_TEST(goesOnWhileAliveMoves);
  CPPUNIT_TEST(keepsABackgroundProcessToTheBuildsEnd);
  CPPUNIT_TEST(keepsABackgroundProcessToTheContainersEnd);
  CPPUNIT_TEST(doesNotWaitForABackgroundProcess);
  CPPUNIT_TEST(letsABackgroundProcessWriteOn);
  CPPUNIT_TEST(killsWhatLeftItsSessionWhenTheStageTimesOut);
  CPPUNIT_TEST(sparesEarlierBackgroundProcessesWhenAStageTimesOut);
  CPPUNIT_TEST(reapsAFloodOfOrphans);
  CPPUNIT_TEST(endsAForkBomb);
  CPPUNIT_TEST(countsResourceUse);
  CPPUNIT_TEST_SUITE_END();

 public:
  void passesWhenEveryStagePasses() {
    GuestBox box;
    box.stage("echo one");
    box.stage("echo two");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT(box.last().ending == Ending::passed);
    CPPUNIT_ASSERT_EQUAL(std::string("one\n"), box.output(0));
    CPPUNIT_ASSERT_EQUAL(std::string("two\n"), box.output(1));
    CPPUNIT_ASSERT_EQUAL(0, box.finished(0).exit_code);
  }

  void failsWithTheStagesExitCode() {
    GuestBox box;
    box.stage("exit 42");
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(42, box.finished(0).exit_code);
    CPPUNIT_ASSERT_EQUAL(std::string("exited with status 42"), box.finished(0).bytes);
    CPPUNIT_ASSERT_EQUAL(std::string("stage \"stage 1\" failed: exited with status 42"), box.last().bytes);
  }

  void stopsAScriptAtItsFirstFailingCommand() {
    GuestBox box;
    box.stage("echo before\nfalse\necho after\n");
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("before\n"), box.output(0));
  }

  void tellsWhichSignalKilledAStage() {
    GuestBox box;
    box.stage("kill -SEGV $$");
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(139, box.finished(0).exit_code);
    CPPUNIT_ASSERT_EQUAL(std::string("killed by signal 11 (SIGSEGV)"), box.finished(0).bytes);
  }

  void runsOnlyAlwaysStagesAfterAFailure() {
    GuestBox box;
    box.stage("exit 1");
    box.stage("echo no");
    box.stage("echo cleanup").always = true;
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT(box.finished(1).ending == Ending::skipped);
    CPPUNIT_ASSERT_EQUAL(std::string("stage \"stage 1\" failed"), box.finished(1).bytes);
    CPPUNIT_ASSERT(box.finished(2).ending == Ending::passed);
    CPPUNIT_ASSERT_EQUAL(std::string("cleanup\n"), box.output(2));
  }

  void skipsAStageWhoseConditionsAreNotMet() {
    GuestBox box;
    auto& stage = box.stage("exit 1");
    stage.skip = true;
    stage.skip_reason = "branch is not main";
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::skipped);
    CPPUNIT_ASSERT_EQUAL(std::string("branch is not main"), box.finished(0).bytes);
  }

  void passesAnEmptyPlan() {
    GuestBox box;
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, box.allFrames().size());
  }

  void endsAStageThatIgnoresTermAfterTheGrace() {
    GuestBox box;
    box.plan.grace_ms = 200;
    box.stage("trap '' TERM; echo up; while :; do sleep 1000; done").timeout_ms = 300;
    box.start();
    const double seconds = secondsOf([&] { CPPUNIT_ASSERT_EQUAL(2, box.wait()); });
    CPPUNIT_ASSERT(seconds < 5);
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::timed_out);
    CPPUNIT_ASSERT_EQUAL(137, box.finished(0).exit_code);
    CPPUNIT_ASSERT_EQUAL(std::string("timed out after 300 ms"), box.finished(0).bytes);
    CPPUNIT_ASSERT(box.notices().find("still running 200 ms after SIGTERM; killing") != std::string::npos);
  }

  void letsAStageCleanUpWithinTheGrace() {
    GuestBox box;
    box.stage("trap 'echo unlocked; exit 7' TERM; while :; do sleep 0.01; done").timeout_ms = 300;
    CPPUNIT_ASSERT_EQUAL(2, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("unlocked\n"), box.output(0));
    CPPUNIT_ASSERT_EQUAL(7, box.finished(0).exit_code);
  }

  void letsWhatTheShellStartedCleanUpWithinTheGrace() {
    GuestBox box;
    // The outer shell dies of TERM at once, the inner one needs longer than the pipes are drained after it.
    box.stage("sh -c 'trap \"sleep 0.8; echo unlocked; exit\" TERM; echo up; while :; do sleep 0.01; done' & wait")
        .timeout_ms = 300;
    CPPUNIT_ASSERT_EQUAL(2, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("up\nunlocked\n"), box.output(0));
  }

  void runsAlwaysStagesAfterAStageTimedOut() {
    GuestBox box;
    box.stage("sleep 1000").timeout_ms = 50;
    box.stage("echo no");
    box.stage("echo report").always = true;
    CPPUNIT_ASSERT_EQUAL(2, box.run());
    CPPUNIT_ASSERT(box.finished(1).ending == Ending::skipped);
    CPPUNIT_ASSERT_EQUAL(std::string("report\n"), box.output(2));
  }

  void skipsEverythingAfterTheBuildTimedOut() {
    GuestBox box;
    box.plan.timeout_ms = 200;
    box.stage("sleep 1000");
    box.stage("echo no").always = true;
    CPPUNIT_ASSERT_EQUAL(2, box.run());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::timed_out);
    CPPUNIT_ASSERT_EQUAL(std::string("the build timed out after 200 ms"), box.finished(0).bytes);
    CPPUNIT_ASSERT(box.finished(1).ending == Ending::skipped);
    CPPUNIT_ASSERT(box.last().ending == Ending::timed_out);
  }

  void cancelsOnTerm() {
    GuestBox box;
    box.stage("echo up; sleep 1000");
    box.stage("echo no").always = true;
    box.start();
    box.awaitOutput("up");
    box.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(3, box.wait());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::canceled);
    CPPUNIT_ASSERT(box.finished(1).ending == Ending::skipped);
    CPPUNIT_ASSERT_EQUAL(std::string("canceled"), box.finished(1).bytes);
  }

  void cancelsBeforeTheFirstStage() {
    GuestBox box;
    box.stage("echo up; sleep 1000");
    box.start();
    box.signal(SIGSTOP);
    box.signal(SIGTERM);
    box.signal(SIGCONT);
    const int status = box.wait();
    // Before the guest blocks its signals TERM simply ends it: what the build process sees then is a journal without
    // end.
    CPPUNIT_ASSERT(status == 3 || status == 128 + SIGTERM);
  }

  void killsAtOnceOnTheSecondTerm() {
    GuestBox box;
    box.plan.grace_ms = 600000;
    box.stage("trap 'echo got it' TERM; echo up; while :; do sleep 0.01 || true; done");
    box.start();
    box.awaitOutput("up");
    box.signal(SIGTERM);
    box.awaitOutput("got it");
    box.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(3, box.wait());
    CPPUNIT_ASSERT_EQUAL(137, box.finished(0).exit_code);
  }

  void ignoresTermFromInsideTheContainer() {
    GuestBox box(Place::container);
    box.stage("kill -TERM 1; kill -KILL 1; kill -STOP 1; kill -INT 1; kill -HUP 1; echo alive");
    box.stage("echo up; sleep 1000");
    box.start();
    box.awaitOutput("up", 1);
    CPPUNIT_ASSERT_EQUAL(std::string("alive\n"), box.output(0));
    box.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(3, box.wait());
  }

  void abandonsWhenAliveStandsStill() {
    GuestBox box(::geteuid() == 0 ? Place::container : Place::process);
    box.plan.alive_timeout_ms = 300;
    box.stage("trap '' TERM; " + longLived(box) + " & echo up; wait");
    box.stage("echo no").always = true;
    CPPUNIT_ASSERT_EQUAL(4, box.run());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::abandoned);
    CPPUNIT_ASSERT(box.finished(1).ending == Ending::skipped);
    CPPUNIT_ASSERT(box.last().ending == Ending::abandoned);
    CPPUNIT_ASSERT(!processExists(mark(box)));
  }

  void goesOnWhileAliveMoves() {
    GuestBox box;
    box.plan.alive_timeout_ms = 500;
    box.stage("echo up; while [ ! -e done ]; do sleep 0.01; done");
    box.start();
    box.awaitOutput("up");
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t count = 1;
    await("three time-outs' worth of a moving counter", [&] {
      box.setCounter("alive", ++count);
      return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(1500);
    });
    box.writeFile(box.plan.working_dir + "/done", "");
    CPPUNIT_ASSERT_EQUAL(0, box.wait());
  }

  void keepABackground(Place place) {
    GuestBox box(place);
    box.stage(longLived(box) + " >/dev/null 2>&1 & echo started");
    box.stage("echo up; while [ ! -e done ]; do sleep 0.01; done");
    box.start();
    box.awaitOutput("up", 1);
    CPPUNIT_ASSERT(processExists(mark(box)));
    box.writeFile(box.plan.working_dir + "/done", "");
    CPPUNIT_ASSERT_EQUAL(0, box.wait());
    CPPUNIT_ASSERT(!processExists(mark(box)));
  }
  void keepsABackgroundProcessToTheBuildsEnd() { keepABackground(Place::process); }
  void keepsABackgroundProcessToTheContainersEnd() { keepABackground(Place::container); }

  void doesNotWaitForABackgroundProcess() {
    GuestBox box;
    box.stage(longLived(box) + " & echo started");
    const double seconds = secondsOf([&] { CPPUNIT_ASSERT_EQUAL(0, box.run()); });
    CPPUNIT_ASSERT_MESSAGE("half a second is what its open pipes are waited for", seconds >= 0.5 && seconds < 5);
    CPPUNIT_ASSERT(box.notices().find("left in the background") != std::string::npos);
  }

  void letsABackgroundProcessWriteOn() {
    GuestBox box;
    box.stage(
        "(trap 'echo broken pipe >> died' PIPE; while [ ! -e stop ]; do echo noise; done; touch lived) & echo up");
    box.stage("[ ! -e died ]; touch stop; while [ ! -e lived ]; do sleep 0.01; done; [ ! -e died ]");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string(), box.output(1));
  }

  void killsWhatLeftItsSessionWhenTheStageTimesOut() {
    GuestBox box(::geteuid() == 0 ? Place::container : Place::process);
    box.plan.grace_ms = 100;
    box.stage("(setsid " + longLived(box) + " >/dev/null 2>&1 &) ; sleep 1000").timeout_ms = 400;
    box.stage("echo up; while [ ! -e done ]; do sleep 0.01; done").always = true;
    box.start();
    box.awaitOutput("up", 1);
    CPPUNIT_ASSERT(!processExists(mark(box)));
    box.writeFile(box.plan.working_dir + "/done", "");
    CPPUNIT_ASSERT_EQUAL(2, box.wait());
  }

  void sparesEarlierBackgroundProcessesWhenAStageTimesOut() {
    GuestBox box;
    box.plan.grace_ms = 100;
    box.stage("(setsid " + longLived(box) + " >/dev/null 2>&1 &)");
    box.stage("sleep 1000").timeout_ms = 100;
    box.stage("echo up; while [ ! -e done ]; do sleep 0.01; done").always = true;
    box.start();
    box.awaitOutput("up", 2);
    CPPUNIT_ASSERT(processExists(mark(box)));
    box.writeFile(box.plan.working_dir + "/done", "");
    CPPUNIT_ASSERT_EQUAL(2, box.wait());
    CPPUNIT_ASSERT(!processExists(mark(box)));
  }

  void reapsAFloodOfOrphans() {
    GuestBox box(Place::container);
    box.stage("i=0; while [ $i -lt 2000 ]; do (true &) ; i=$((i+1)); done");
    box.stage("sleep 0.1; cat /proc/[0-9]*/stat | grep -c ') Z ' || true");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("0\n"), box.output(1));
  }

  void endsAForkBomb() {
    GuestBox box(Place::container);
    box.plan.grace_ms = 100;
    box.stage("trap '' TERM; n=0; while :; do (sleep 1000 &); n=$((n+1)); [ $n -lt 1500 ] || sleep 0.01; done")
        .timeout_ms = 1500;
    CPPUNIT_ASSERT_EQUAL(2, box.run());
    CPPUNIT_ASSERT_EQUAL(137, box.finished(0).exit_code);
  }

  void countsResourceUse() {
    GuestBox box;
    box.stage("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT(box.finished(0).cpu_us > 10000);
    CPPUNIT_ASSERT(box.finished(0).max_rss_bytes > 200 * 1024);
    CPPUNIT_ASSERT(box.finished(0).max_rss_bytes < 200 * 1024 * 1024);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GuestEndingTest);

}  // namespace
