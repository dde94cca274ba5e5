// What the engines go through while everybody works with them.

#include <cppunit/TestAssert.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "host/http/json.hpp"
#include "host/http/json_view.hpp"
#include "tests/live/cluster/scene.hpp"

namespace ocelot::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

std::map<std::string, int> attemptsOf(const std::vector<BuildSeen>& builds) {
  std::map<std::string, int> out;
  for (const auto& one : builds) out[one.id] = one.attempt;
  return out;
}

// Away for longer than a lease: what runs goes on, nobody takes it, a forge is asked to come back.
void postgresIsAway(Scene& scene) {
  auto& cluster = scene.cluster();
  const int busy = scene.load().busyAnswers();
  const auto before = attemptsOf(scene.running());
  cluster.postgres().end(SIGINT);
  const auto until = Clock::now() + kLease + seconds(4);
  scene.awaitDown(cluster.daemons("admin"), "store");
  scene.load().release(3);
  await(
      "a forge is asked to come back", [&] { return scene.load().busyAnswers() > busy; }, seconds(30));
  await("a lease's time goes by", [&] { return Clock::now() > until; });
  cluster.postgres().start();
  cluster.awaitWell();
  for (const auto& [id, attempt] : before)
    CPPUNIT_ASSERT_EQUAL_MESSAGE("an outage has cost build " + id + " an attempt", attempt, cluster.show(id).attempt);
}

void postgresIsKilled(Scene& scene) {
  scene.cluster().postgres().kill();
  scene.cluster().postgres().start();
  scene.awaitProgress();
}

void postgresIsRestarted(Scene& scene) {
  scene.cluster().postgres().end(SIGINT);  // "fast": sessions are ended
  scene.cluster().postgres().start();
  scene.awaitProgress();
}

void postgresIsCutOff(Scene& scene) {
  auto& cluster = scene.cluster();
  cluster.postgres().host().cut();
  scene.awaitDown(cluster.daemons("admin"), "store");
  cluster.postgres().host().join();
  cluster.awaitWell();
  scene.awaitProgress();
}

void nsqdAreRestarted(Scene& scene) {
  for (const std::string process : {"nsqd-1", "nsqd-2", "nsqlookupd"}) {
    scene.cluster().nsq().end(SIGTERM, process);
    scene.awaitProgress(1);
    scene.cluster().nsq().start();
  }
}

// Killed, and all that they held is lost.
void nsqdForget(Scene& scene) {
  auto& nsq = scene.cluster().nsq();
  nsq.kill();
  for (const std::string folder : {"/nsqd-1", "/nsqd-2"}) {
    std::filesystem::remove_all(nsq.home() + folder);
    std::filesystem::create_directories(nsq.home() + folder);
  }
  scene.awaitProgress();
  nsq.start();
  scene.awaitProgress();
}

int depthOf(Cluster& cluster, int nsqd) {
  const auto stats = http::JsonView::parse(cluster.toNsqd(nsqd, "GET", "/stats?format=json&topic=build").body).value();
  std::int64_t sum = 0;
  for (const auto& topic : stats["topics"].items())
    for (const auto& channel : topic["channels"].items())
      for (const char* field : {"depth", "in_flight_count", "deferred_count"})
        sum += channel[field].number().value_or(0);
  return static_cast<int>(sum);
}

// Wake-ups for nothing, and what was never one: nobody is hurt, and none of it stays.
void theQueueIsPoisoned(Scene& scene) {
  auto& cluster = scene.cluster();
  std::string noise;
  for (unsigned i = 0; i < (1u << 20) - 16; ++i) noise += static_cast<char>(i * 2654435761u >> 24);
  for (const int nsqd : {0, 1}) {
    for (int i = 0; i < 20; ++i) cluster.toNsqd(nsqd, "POST", "/pub?topic=build", "build");
    for (const auto& body : {noise, std::string("{\"build\":"), std::string(64, '['), std::string("\0\xff", 2),
                             "{\"version\":99,\"build\":\"" + std::string(36, 'a') + "\"}"}) {
      const auto answer = cluster.toNsqd(nsqd, "POST", "/pub?topic=build", body);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.body, 200, answer.status);
    }
  }
  scene.awaitProgress();
  for (const int nsqd : {0, 1})
    await(
        "the poison is gone", [&] { return depthOf(cluster, nsqd) == 0; }, seconds(60));
}

int passingWorkers(Cluster& cluster) {
  const auto answer = cluster.toConsul("GET", "health/service/ocelot-worker?passing=1");
  return static_cast<int>(http::JsonView::parse(answer.body).value_or(http::JsonView()).items().size());
}

void consulIsAway(Scene& scene) {
  auto& cluster = scene.cluster();
  cluster.consul().kill();
  const auto killed = Clock::now();
  scene.awaitDown(cluster.daemons("worker"), "discovery");
  CPPUNIT_ASSERT(Clock::now() - killed < seconds(15));
  scene.awaitProgress();
  cluster.consul().start();
  await(
      "all workers are registered again",
      [&] { return passingWorkers(cluster) == static_cast<int>(cluster.daemons("worker").size()); }, seconds(20));
}

// What runs goes on, up to where it needs a secret, nothing else begins, and says why.
void vaultIsSealed(Scene& scene) {
  auto& cluster = scene.cluster();
  cluster.toVault("PUT", "sys/seal");
  scene.awaitDown(cluster.daemons("worker"), "secrets");
  await("what ran has ended, or says that it waits", [&] {
    const auto running = scene.running();
    return std::all_of(running.begin(), running.end(), [&](const BuildSeen& one) {
      return cluster.storedLog(one.id).find("waiting for secret TOKEN: ") != std::string::npos;
    });
  });
  await("what waits says why", [&] {
    const auto queued = scene.queued();
    return queued.empty() || cluster.show(queued.front().id).waiting.find("sealed") != std::string::npos;
  });
  cluster.vault().start();
}

void vaultIsKilled(Scene& scene) {
  auto& cluster = scene.cluster();
  cluster.vault().kill();
  scene.awaitDown(cluster.daemons("worker"), "secrets");
  cluster.vault().start();
  scene.awaitProgress();
}

// Every login's token ends at once, which each finds out by a 403, and logs in again.
void vaultTakesNoToken(Cluster& cluster) { cluster.toVault("PUT", "sys/leases/revoke-prefix/auth/approle/login"); }

void vaultRevokesTokens(Scene& scene) {
  vaultTakesNoToken(scene.cluster());
  scene.awaitProgress();
}

// Workers are refused a new token too: as when it is sealed, and Vault itself is well.
void vaultRefusesWorkers(Scene& scene) {
  auto& cluster = scene.cluster();
  const auto bound = [&](const std::string& networks) {
    cluster.toVault("POST", "auth/approle/role/worker", "{\"secret_id_bound_cidrs\":" + networks + "}");
  };
  bound(R"(["192.0.2.0/24"])");
  vaultTakesNoToken(cluster);
  scene.awaitDown(cluster.daemons("worker"), "secrets");
  await("what ran has ended", [&] { return scene.running().empty(); });
  await("what waits says why", [&] {
    const auto queued = scene.queued();
    return queued.empty() ||
           cluster.show(queued.front().id).waiting.find("log in at auth/approle") != std::string::npos;
  });
  bound("[]");
  cluster.awaitWell();
  scene.awaitProgress();
}

// Takes requests and answers none for ten seconds, in which builds begin and go on.
void vaultIsSlow(Scene& scene) {
  auto& cluster = scene.cluster();
  const auto before = attemptsOf(scene.running());
  const auto until = Clock::now() + seconds(10);
  cluster.vault().signal(SIGSTOP);
  scene.load().release(3);
  await("ten seconds go by", [&] { return Clock::now() > until; });
  cluster.vault().signal(SIGCONT);
  cluster.awaitWell();
  scene.awaitProgress();
  for (const auto& [id, attempt] : before)
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a slow Vault has cost build " + id + " an attempt", attempt,
                                 cluster.show(id).attempt);
}

}  // namespace

void faultsOfPostgres(Scene& scene) {
  scene.befalls("PostgreSQL is restarted (F11)", [&] { postgresIsRestarted(scene); });
  scene.befalls("PostgreSQL is killed (F12)", [&] { postgresIsKilled(scene); });
  scene.befallsLongBuilds("PostgreSQL is away for longer than a lease (F13)", [&] { postgresIsAway(scene); });
  scene.befallsLongBuilds("PostgreSQL is cut off", [&] { postgresIsCutOff(scene); });
}

void faultsOfEngines(Scene& scene) {
  scene.befalls("each process of NSQ is restarted (F6)", [&] { nsqdAreRestarted(scene); });
  scene.befalls("both nsqd are killed and forget (F7)", [&] { nsqdForget(scene); });
  scene.befalls("the queue is poisoned (F8, F10)", [&] { theQueueIsPoisoned(scene); });
  scene.befalls("Consul is away (F16)", [&] { consulIsAway(scene); });
  scene.befalls("Vault is sealed (F18)", [&] { vaultIsSealed(scene); });
  scene.befalls("Vault is killed (F18)", [&] { vaultIsKilled(scene); });
  scene.befalls("Vault revokes every token: 403 (F18)", [&] { vaultRevokesTokens(scene); });
  scene.befalls("Vault refuses the workers: 403 (F18)", [&] { vaultRefusesWorkers(scene); });
  scene.befallsLongBuilds("Vault answers after ten seconds (F18)", [&] { vaultIsSlow(scene); });
}

}  // namespace ocelot::test
