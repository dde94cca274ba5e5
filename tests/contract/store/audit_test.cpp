// Who changed what.

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

store::AuditEntry entryOf(const std::string& action) {
  store::AuditEntry entry;
  entry.token_id = "t1";
  entry.actor = "ada";
  entry.peer = "192.0.2.7";
  entry.action = action;
  entry.object = "account/repo";
  return entry;
}

}  // namespace

CONTRACT(anAuditEntryIsThereBeforeItsChangeAndLearnsHowItWent) {
  auto& store = ground.store();
  const auto first = store.beginAudit(entryOf("repo.add"));
  const auto second = store.beginAudit(entryOf("build.create"));
  CPPUNIT_ASSERT(second > first);
  store.endAudit(second, "account/repo #1", 201);
  const auto entries = ground.openAnother()->audit(0, 10);
  CPPUNIT_ASSERT_EQUAL(std::size_t{2}, entries.size());
  CPPUNIT_ASSERT_EQUAL(second, entries[0].id);
  CPPUNIT_ASSERT_EQUAL(std::string("account/repo #1"), entries[0].object);
  CPPUNIT_ASSERT_EQUAL(201, entries[0].status);
  CPPUNIT_ASSERT_EQUAL(std::string("repo.add"), entries[1].action);
  CPPUNIT_ASSERT_EQUAL(std::string("account/repo"), entries[1].object);
  CPPUNIT_ASSERT_EQUAL(std::string("t1"), entries[1].token_id);
  CPPUNIT_ASSERT_EQUAL(std::string("ada"), entries[1].actor);
  CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.7"), entries[1].peer);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("not known", 0, entries[1].status);
  CPPUNIT_ASSERT(entries[1].at > 0 && entries[1].at <= store.now());
}

CONTRACT(theAuditIsReadByPages) {
  auto& store = ground.store();
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(store.beginAudit(entryOf("a" + std::to_string(i))));
  const auto newest = store.audit(0, 2);
  CPPUNIT_ASSERT(newest.size() == 2 && newest[0].id == ids[4] && newest[1].id == ids[3]);
  const auto rest = store.audit(newest[1].id, 100);
  CPPUNIT_ASSERT(rest.size() == 3 && rest[0].id == ids[2] && rest[2].id == ids[0]);
  CPPUNIT_ASSERT(store.audit(ids[0], 100).empty());
}

CONTRACT(oldAuditEntriesGo) {
  auto& store = ground.store();
  for (int i = 0; i < 4; ++i) store.beginAudit(entryOf("old"));
  ground.engine().sql("UPDATE audit SET at = at - 172800000000");
  const auto fresh = store.beginAudit(entryOf("fresh"));
  CPPUNIT_ASSERT_EQUAL_MESSAGE("no limit", 0, store.pruneAudit(0, 100));
  CPPUNIT_ASSERT_EQUAL(0, store.pruneAudit(3, 100));
  CPPUNIT_ASSERT_EQUAL(3, store.pruneAudit(1, 3));
  CPPUNIT_ASSERT_EQUAL(1, store.pruneAudit(1, 3));
  const auto left = store.audit(0, 10);
  CPPUNIT_ASSERT(left.size() == 1 && left[0].id == fresh);
}

CONTRACT(anAuditEntryIsBounded) {
  auto entry = entryOf("a");
  entry.object = std::string(2000, 'x');
  CPPUNIT_ASSERT_THROW(ground.store().beginAudit(entry), std::invalid_argument);
}
