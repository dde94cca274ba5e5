#include "host/discovery/discovery.hpp"

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

discovery::Worker someWorker(const std::string& id) {
  discovery::Worker worker;
  worker.id = id;
  worker.name = "host-" + id;
  worker.url = "http://127.0.0.1:7001";
  worker.tags = {"gpu", "arm64"};
  worker.slots = 4;
  worker.version = "0.1.0";
  worker.started_at = 1234567;
  return worker;
}

}  // namespace

CONTRACT(aWorkerIsFoundAsItAnnouncedItself) {
  const auto discovery = discovery::openStoreDiscovery(ground.store());
  const auto before = ground.store().now();
  discovery->announce(someWorker("a"));
  const auto found = discovery->find("a");
  CPPUNIT_ASSERT(found.has_value());
  CPPUNIT_ASSERT_EQUAL(std::string("host-a"), found->name);
  CPPUNIT_ASSERT_EQUAL(std::string("http://127.0.0.1:7001"), found->url);
  CPPUNIT_ASSERT(found->tags == (std::vector<std::string>{"gpu", "arm64"}));
  CPPUNIT_ASSERT_EQUAL(4, found->slots);
  CPPUNIT_ASSERT_EQUAL(std::string("0.1.0"), found->version);
  CPPUNIT_ASSERT_EQUAL(model::Micros{1234567}, found->started_at);
  CPPUNIT_ASSERT(found->seen_at >= before);
  CPPUNIT_ASSERT(!discovery->find("b"));
}

CONTRACT(anotherAnnouncementReplacesTheFirst) {
  const auto discovery = discovery::openStoreDiscovery(ground.store());
  auto worker = someWorker("a");
  discovery->announce(worker);
  worker.tags.clear();
  worker.note = "the disk is nearly full";
  discovery->announce(worker);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, discovery->workers().size());
  CPPUNIT_ASSERT(discovery->find("a")->tags.empty());
  CPPUNIT_ASSERT_EQUAL(std::string("the disk is nearly full"), discovery->find("a")->note);
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

CONTRACT(aWithdrawnWorkerIsGoneAtOnce) {
  const auto discovery = discovery::openStoreDiscovery(ground.store());
  discovery->announce(someWorker("a"));
  discovery->withdraw("a");
  CPPUNIT_ASSERT(!discovery->find("a"));
  discovery->withdraw("a");
}

CONTRACT(aTagIsAWord) {
  const auto discovery = discovery::openStoreDiscovery(ground.store());
  auto worker = someWorker("a");
  worker.tags = {"two words"};
  CPPUNIT_ASSERT_THROW(discovery->announce(worker), std::invalid_argument);
  worker.tags = {""};
  CPPUNIT_ASSERT_THROW(discovery->announce(worker), std::invalid_argument);
}
