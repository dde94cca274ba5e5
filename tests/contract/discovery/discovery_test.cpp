// What holds of the stand-in alone: its clock is the store's.

#include "tests/contract/discovery/found.hpp"

using namespace ocelot;
using namespace ocelot::test;

CONTRACT(aWorkerIsSeenByTheStoresClock) {
  const auto discovery = discovery::openStoreDiscovery(ground.store());
  const auto before = ground.store().now();
  discovery->announce(someWorker("a"));
  CPPUNIT_ASSERT(discovery->find("a")->seen_at >= before);
}

CONTRACT(aWorkerNotHeardOfForFifteenSecondsIsGone) {
  const auto discovery = discovery::openStoreDiscovery(ground.store());
  discovery->announce(someWorker("a"));
  discovery->announce(someWorker("b"));
  ground.engine().sql("UPDATE workers SET seen_at = seen_at - 16000000 WHERE id = 'a'");
  ground.engine().sql("UPDATE workers SET seen_at = seen_at - 10000000 WHERE id = 'b'");
  CPPUNIT_ASSERT(!discovery->find("a"));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, discovery->workers().size());
  discovery->announce(someWorker("a"));
  CPPUNIT_ASSERT(discovery->find("a"));
}
