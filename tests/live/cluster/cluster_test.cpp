// Two admins, three workers, two hookhandlers and two pollers, while each of them and each engine fails in turn:
// nothing is lost, nothing happens twice, logs are whole, secrets are nowhere.
//
// OCELOT_TEST_CLUSTER_BUILDS: how many builds there are (200). OCELOT_TEST_VERBOSE=1 tells how it goes.
// OCELOT_TEST_KEEP=FOLDER: what a test that fails leaves there for whoever looks into it.

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>

#include "host/model/build.hpp"
#include "tests/live/cluster/scene.hpp"
#include "tests/live/cluster/world.hpp"

namespace ocelot::test {
namespace {

int wantedBuilds() {
  const char* wanted = std::getenv("OCELOT_TEST_CLUSTER_BUILDS");
  return wanted ? std::max(1, std::atoi(wanted)) : 200;
}

class ClusterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClusterTest);
  CPPUNIT_TEST(everyEngineOnItsOwnHost);
  CPPUNIT_TEST(threeHostsOnPostgresAlone);
  CPPUNIT_TEST_SUITE_END();

 public:
  void everyEngineOnItsOwnHost() {
    inOwnWorld("everyEngineOnItsOwnHost", {"nsq", "consul", "vault"}, [] {
      std::vector<std::pair<std::string, std::string>> each;
      for (const std::string daemon : {"admin-1", "admin-2", "worker-1", "worker-2", "worker-3", "hookhandler-1",
                                       "hookhandler-2", "poller-1", "poller-2"})
        each.emplace_back(daemon, daemon);
      Cluster cluster(Form::engines, each);
      goThrough(cluster, {faultsOfEngines, faultsOfPostgres, faultsOfDaemons},
                kFaultsOfEngines + kFaultsOfPostgres + kFaultsOfDaemons);
    });
  }

  void threeHostsOnPostgresAlone() {
    inOwnWorld("threeHostsOnPostgresAlone", {}, [] {
      Cluster cluster(Form::postgres_alone, {{"admin-1", "one"},
                                             {"worker-1", "one"},
                                             {"hookhandler-1", "one"},
                                             {"poller-1", "one"},
                                             {"admin-2", "two"},
                                             {"worker-2", "two"},
                                             {"hookhandler-2", "two"},
                                             {"poller-2", "two"},
                                             {"worker-3", "three"}});
      goThrough(cluster, {faultsOfPostgres, faultsOfDaemons}, kFaultsOfPostgres + kFaultsOfDaemons);
    });
  }

 private:
  static void goThrough(Cluster& cluster, const std::vector<void (*)(Scene&)>& faults, int count) {
    try {
      Scene scene(cluster, "canary-" + model::newClaimId(), wantedBuilds(), count);
      for (const auto& some : faults) some(scene);
      checkInvariants(scene);
    } catch (const std::exception&) {
      cluster.keepEvidence();
      throw;
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClusterTest);

}  // namespace
}  // namespace ocelot::test
