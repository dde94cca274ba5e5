// A worker that a person asked to take no new builds.

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

CONTRACT(aDrainIsSeenByEveryoneUntilItIsUndone) {
  auto& store = ground.store();
  CPPUNIT_ASSERT(store.drains().empty());
  const auto asked = store.drainWorker({"worker-1", "alpha", "ada", 0});
  CPPUNIT_ASSERT(asked.at > 0 && asked.at <= store.now());
  const auto other = ground.openAnother();
  const auto seen = other->drains();
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, seen.size());
  CPPUNIT_ASSERT_EQUAL(std::string("worker-1"), seen[0].worker_id);
  CPPUNIT_ASSERT_EQUAL(std::string("alpha"), seen[0].name);
  CPPUNIT_ASSERT_EQUAL(std::string("ada"), seen[0].by);
  CPPUNIT_ASSERT_EQUAL(asked.at, seen[0].at);
  CPPUNIT_ASSERT(other->undrainWorker("worker-1"));
  CPPUNIT_ASSERT(store.drains().empty());
  CPPUNIT_ASSERT_MESSAGE("undone before", !store.undrainWorker("worker-1"));
}

CONTRACT(whoAskedForADrainFirstIsRemembered) {
  auto& store = ground.store();
  const auto first = store.drainWorker({"worker-1", "alpha", "ada", 0});
  const auto second = store.drainWorker({"worker-1", "alpha", "bob", 0});
  CPPUNIT_ASSERT_EQUAL(std::string("ada"), second.by);
  CPPUNIT_ASSERT_EQUAL(first.at, second.at);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.drains().size());
}

CONTRACT(aDrainOutlivesTheWorkersRow) {
  auto& store = ground.store();
  store.putWorker({"worker-1", "alpha", "http://a:1", {}, 1, "1", "", 1, 0});
  store.drainWorker({"worker-1", "alpha", "ada", 0});
  store.removeWorker({"worker-1", "", "", {}, 0, "", "", 0, 0});
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.drains().size());
}

CONTRACT(drainsOfSeveralWorkersStandByName) {
  auto& store = ground.store();
  store.drainWorker({"worker-1", "beta", "ada", 0});
  store.drainWorker({"worker-2", "alpha", "ada", 0});
  const auto drains = store.drains();
  CPPUNIT_ASSERT(drains.size() == 2 && drains[0].name == "alpha" && drains[1].name == "beta");
}

CONTRACT(aDrainThatNamesNoWorkerIsRefused) {
  CPPUNIT_ASSERT_THROW(ground.store().drainWorker({"", "alpha", "ada", 0}), std::invalid_argument);
  CPPUNIT_ASSERT_THROW(ground.store().drainWorker({std::string(1025, 'w'), "alpha", "ada", 0}), std::invalid_argument);
}
