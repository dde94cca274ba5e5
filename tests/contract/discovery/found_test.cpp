#include "tests/contract/discovery/found.hpp"

#include <algorithm>

using namespace ocelot;
using namespace ocelot::test;

discovery::Worker ocelot::test::someWorker(const std::string& id) {
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

DISCOVERY_CONTRACT(aWorkerIsFoundAsItAnnouncedItself) {
  discovery.announce(someWorker(id));
  const auto found = discovery.find(id);
  CPPUNIT_ASSERT(found.has_value());
  CPPUNIT_ASSERT_EQUAL("host-" + id, found->name);
  CPPUNIT_ASSERT_EQUAL(std::string("http://127.0.0.1:7001"), found->url);
  CPPUNIT_ASSERT(found->tags == (std::vector<std::string>{"gpu", "arm64"}));
  CPPUNIT_ASSERT_EQUAL(4, found->slots);
  CPPUNIT_ASSERT_EQUAL(std::string("0.1.0"), found->version);
  CPPUNIT_ASSERT_EQUAL(model::Micros{1234567}, found->started_at);
  CPPUNIT_ASSERT(!discovery.find(id + "-other"));
  discovery.withdraw(id);
}

DISCOVERY_CONTRACT(anotherAnnouncementReplacesTheFirst) {
  auto worker = someWorker(id);
  discovery.announce(worker);
  discovery.announce(worker);
  worker.tags.clear();
  worker.note = "the disk is nearly full: " + std::string(400, 'x');
  discovery.announce(worker);
  const auto all = discovery.workers();
  const auto same = [&](const discovery::Worker& one) { return one.id == id; };
  CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::count_if(all.begin(), all.end(), same));
  CPPUNIT_ASSERT(discovery.find(id)->tags.empty());
  CPPUNIT_ASSERT_EQUAL(worker.note, discovery.find(id)->note);
  discovery.withdraw(id);
}

DISCOVERY_CONTRACT(aWithdrawnWorkerIsGoneAtOnce) {
  discovery.announce(someWorker(id));
  discovery.running(id, {"build-of-" + id});
  discovery.withdraw(id);
  CPPUNIT_ASSERT(!discovery.find(id));
  discovery.withdraw(id);
}

DISCOVERY_CONTRACT(aTagIsAWord) {
  auto worker = someWorker(id);
  worker.tags = {"two words"};
  CPPUNIT_ASSERT_THROW(discovery.announce(worker), std::invalid_argument);
  worker.tags = {""};
  CPPUNIT_ASSERT_THROW(discovery.announce(worker), std::invalid_argument);
}

DISCOVERY_CONTRACT(whereTheRegisterAnswersNothingIsAway) {
  CPPUNIT_ASSERT_EQUAL(std::string(), discovery.whyAway());
  CPPUNIT_ASSERT(!discovery.find(id));
}
