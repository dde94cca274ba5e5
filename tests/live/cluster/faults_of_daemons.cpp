// Whoever is killed, drained or cut off among Ocelot's own.

#include <cppunit/TestAssert.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "tests/live/cluster/scene.hpp"

namespace ocelot::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// Killed and gone: its builds become the others', each as a further attempt, once lease and containers have ended.
void aWorkerIsGone(Scene& scene) {
  auto& cluster = scene.cluster();
  const std::string worker = scene.busiest();
  cluster.kill(worker);
  const auto killed = Clock::now();
  scene.mayBeBegunAgain(worker);
  await("its builds are taken from it", [&] { return scene.held(worker).empty(); });
  CPPUNIT_ASSERT_MESSAGE("its builds were taken from it later than the design says",
                         Clock::now() - killed < kLease + seconds(8));
  cluster.start(worker);
}

// Back within its lease: the same attempts go on.
void aWorkerComesBack(Scene& scene) {
  auto& cluster = scene.cluster();
  const std::string worker = scene.busiest();
  cluster.kill(worker);
  cluster.start(worker);
}

void buildProcessesAreKilled(Scene& scene) {
  auto& cluster = scene.cluster();
  for (const pid_t pid : cluster.buildProcesses(scene.busiest())) ::kill(pid, SIGKILL);
  scene.awaitProgress();
}

void bothAdminsInTurn(Scene& scene) {
  for (const auto& admin : scene.cluster().daemons("admin")) {
    scene.cluster().kill(admin);
    scene.awaitProgress(1);
    scene.cluster().start(admin);
  }
}

void whatBringsBuilds(Scene& scene) {
  for (const std::string kind : {"hookhandler", "poller"})
    for (const auto& daemon : scene.cluster().daemons(kind)) {
      scene.cluster().kill(daemon);
      scene.cluster().start(daemon);
    }
}

// It takes nothing more, finishes what it has, and ends well.
void aWorkerIsDrained(Scene& scene) {
  auto& cluster = scene.cluster();
  const std::string worker = scene.busiest();
  const auto held = scene.running(worker);
  const int status = cluster.kill(worker, SIGTERM);
  CPPUNIT_ASSERT_MESSAGE(worker + " ended with " + std::to_string(status),
                         WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CPPUNIT_ASSERT_MESSAGE(worker + " has left builds running", scene.held(worker).empty());
  cluster.start(worker);
}

// The second signal gives its builds back, as if they had not been begun.
void aWorkerIsHurried(Scene& scene) {
  auto& cluster = scene.cluster();
  const std::string worker = scene.busiest();
  const auto heard = cluster.log(worker).size();
  cluster.signal(worker, SIGTERM);
  await("it has heard", [&] { return cluster.log(worker).substr(heard).find("draining: ") != std::string::npos; });
  cluster.signal(worker, SIGTERM);
  cluster.awaitEndOf(worker, seconds(30));
  CPPUNIT_ASSERT_MESSAGE(worker + " has left builds running", scene.held(worker).empty());
  cluster.start(worker);
}

// Back before its lease has ended: nothing has happened.
void aWorkerIsCutOffForAMoment(Scene& scene) {
  auto& cluster = scene.cluster();
  const std::string worker = scene.busiest();
  cluster.hostOf(worker).cut();
  await(
      "nobody reaches it", [&] { return !cluster.saysReady(worker); }, kLease / 2);
  cluster.hostOf(worker).join();
}

// Longer than its lease: it stops its builds by itself, and only then they are begun again elsewhere.
void aWorkerIsCutOff(Scene& scene) {
  auto& cluster = scene.cluster();
  const std::string worker = scene.busiest();
  cluster.hostOf(worker).cut();
  scene.mayBeBegunAgain(worker);
  await("its containers stop", [&] { return cluster.guestsOf(worker).empty(); });
  CPPUNIT_ASSERT_MESSAGE("a lease was ended before its build had stopped", !scene.held(worker).empty());
  await("its builds are taken from it", [&] { return scene.held(worker).empty(); });
  cluster.hostOf(worker).join();
}

void everyDaemonAtOnce(Scene& scene) {
  auto& cluster = scene.cluster();
  for (const auto& daemon : cluster.daemons()) cluster.signal(daemon, SIGKILL);
  for (const auto& daemon : cluster.daemons()) cluster.awaitEndOf(daemon, seconds(10));
  for (const auto& daemon : cluster.daemons()) cluster.launch(daemon);
  for (const auto& daemon : cluster.daemons()) cluster.awaitAnswer(daemon);
}

}  // namespace

void faultsOfDaemons(Scene& scene) {
  scene.befalls("a worker is killed and comes back (F2)", [&] { aWorkerComesBack(scene); });
  scene.befalls("both admins are killed in turn (F4)", [&] { bothAdminsInTurn(scene); });
  scene.befalls("build processes are killed (F26)", [&] { buildProcessesAreKilled(scene); });
  scene.befallsLongBuilds("a worker is killed and stays away (F1)", [&] { aWorkerIsGone(scene); });
  scene.befalls("hookhandlers and pollers are killed", [&] { whatBringsBuilds(scene); });
  scene.befalls("a worker is drained (F33)", [&] { aWorkerIsDrained(scene); });
  scene.befalls("a worker is told twice to end (F33)", [&] { aWorkerIsHurried(scene); });
  scene.befalls("a worker is cut off for less than its lease (F19)", [&] { aWorkerIsCutOffForAMoment(scene); });
  scene.befallsLongBuilds("a worker is cut off for longer (F19)", [&] { aWorkerIsCutOff(scene); });
  scene.befalls("every daemon is killed at once", [&] { everyDaemonAtOnce(scene); });
}

}  // namespace ocelot::test
