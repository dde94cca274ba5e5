#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

namespace {

void age(Ground& ground, const std::string& id, int days) {
  ground.engine().sql("UPDATE builds SET finished_at = finished_at - " +
                      std::to_string(std::int64_t{days} * 86'400'000'000) + " WHERE id = '" + id + "'");
}

bool there(Ground& ground, const std::string& id) { return ground.store().findBuild(id).has_value(); }

}  // namespace

CONTRACT(oldBuildsGoAndTheLastPassedOneOfABranchStays) {
  const std::string old_pass = ground.ended(BuildState::passed);
  const std::string last_pass = ground.ended(BuildState::passed);
  const std::string old_fail = ground.ended(BuildState::failed);
  const std::string topic_pass = ground.ended(BuildState::passed, "topic");
  const std::string young = ground.ended(BuildState::failed);
  for (const auto& id : {old_pass, last_pass, old_fail, topic_pass}) age(ground, id, 31);
  const std::string waiting = ground.accept("waiting").id;
  ground.engine().sql("UPDATE builds SET queued_at = 1 WHERE id = '" + waiting + "'");

  CPPUNIT_ASSERT_EQUAL(0, ground.store().prune({0, 0}, 100));
  CPPUNIT_ASSERT_EQUAL(2, ground.store().prune({30, 0}, 100));
  CPPUNIT_ASSERT(!there(ground, old_pass));
  CPPUNIT_ASSERT(!there(ground, old_fail));
  for (const auto& id : {last_pass, topic_pass, young, waiting}) CPPUNIT_ASSERT(there(ground, id));
  CPPUNIT_ASSERT_EQUAL(0, ground.store().prune({30, 0}, 100));
}

CONTRACT(aRepoKeepsItsNewestBuilds) {
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(ground.ended(i == 0 ? BuildState::passed : BuildState::failed));
  CPPUNIT_ASSERT_EQUAL_MESSAGE("at most as many as asked", 2, ground.store().prune({0, 3}, 2));
  CPPUNIT_ASSERT_EQUAL(4, ground.store().prune({0, 3}, 100));
  CPPUNIT_ASSERT_MESSAGE("the last passed one", there(ground, ids[0]));
  for (std::size_t i = 1; i < 7; ++i) CPPUNIT_ASSERT(!there(ground, ids[i]));
  for (std::size_t i = 7; i < 10; ++i) CPPUNIT_ASSERT(there(ground, ids[i]));
}

CONTRACT(aRunningBuildIsNeverPruned) {
  const auto claimed = ground.running();
  for (int i = 0; i < 3; ++i) ground.ended(BuildState::failed);
  ground.store().prune({0, 1}, 100);
  CPPUNIT_ASSERT(there(ground, claimed.claim.build_id));
}

CONTRACT(aBuildGoesWhole) {
  const auto claimed = ground.running();
  store::Stage stage;
  stage.name = "test";
  ground.store().updateStages(claimed.claim, {stage});
  ground.store().appendLog(claimed.claim, 0, std::string(100'000, 'x'));
  CPPUNIT_ASSERT(ground.store().release(claimed.claim, "drain"));
  const auto again = ground.store().claim("w", {}, 1000);
  ground.store().appendLog(again->claim, 0, std::string(100'000, 'y'));
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(again->claim, BuildState::failed)));
  const std::string kept = ground.ended(BuildState::failed);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{100'000}, ground.store().logBytes());
  CPPUNIT_ASSERT_EQUAL(1, ground.store().prune({0, 1}, 100));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, ground.store().logBytes());
  CPPUNIT_ASSERT(ground.store().readLog(claimed.claim.build_id, 0, 10).empty());
  CPPUNIT_ASSERT_EQUAL(std::string("0"), ground.engine().text("SELECT count(*) FROM stages"));
  const auto notices = ground.store().takeNotices(10, 1000);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, notices.size());
  CPPUNIT_ASSERT_EQUAL(kept, notices.front().build_id);
}

// The sum is kept by triggers: it stays what adding up would give.
CONTRACT(theBytesOfAllLogsAreKnownWithoutAddingThemUp) {
  const auto summed = [&] {
    return std::stoll(ground.engine().text("SELECT COALESCE(SUM(log_bytes), 0) FROM builds"));
  };
  const auto same = [&](const std::string& when) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(when, std::int64_t{summed()}, ground.store().logBytes());
  };
  same("empty");
  const auto first = ground.running();
  ground.store().appendLog(first.claim, 0, std::string(1000, 'x'));
  same("a build runs");
  CPPUNIT_ASSERT_EQUAL(std::int64_t{1000}, ground.store().logBytes());
  auto ending = Ground::ending(first.claim, BuildState::failed);
  ending.tail_offset = 1000;
  ending.tail = "the end";
  CPPUNIT_ASSERT(ground.store().finish(ending));
  same("it has ended");
  CPPUNIT_ASSERT_EQUAL(std::int64_t{1007}, ground.store().logBytes());
  const auto given_back = ground.running();
  ground.store().appendLog(given_back.claim, 0, std::string(100, 'x'));
  ground.store().release(given_back.claim, "drained");
  same("one was given back");
  ground.store().cancel(given_back.claim.build_id, "ada");
  same("and canceled in the queue");
  for (int i = 0; i < 40; ++i) {
    const auto build = ground.running();
    ground.store().appendLog(build.claim, 0, std::string(static_cast<std::size_t>(i + 1), 'x'));
    ground.store().finish(Ground::ending(build.claim, BuildState::failed));
  }
  same("many more");
  CPPUNIT_ASSERT(ground.store().prune({0, 5}, 100) > 30);
  same("most were removed");
  CPPUNIT_ASSERT(ground.store().logBytes() > 0);
}

CONTRACT(aRepoThatAsksForLessKeepsLess) {
  const auto of = [&](const std::string& repo) {
    auto build = Ground::someBuild();
    build.repo = repo;
    const std::string id = ground.store().accept(build, "").id;
    ground.store().finish(Ground::ending(ground.store().claim("w", {}, 1000)->claim, BuildState::failed));
    return id;
  };
  std::vector<std::string> few, many, young;
  for (int i = 0; i < 5; ++i) {
    few.push_back(of("a/few"));
    many.push_back(of("a/many"));
    young.push_back(of("a/young"));
  }
  age(ground, young[0], 8);
  age(ground, few[4], 8);
  store::Retention retention{0, 4};
  retention.repos = {{"a/few", 0, 2}, {"a/many", 0, 99}, {"a/young", 7, 0}, {"a/none", 1, 1}};
  CPPUNIT_ASSERT_EQUAL(3 + 1 + 1, ground.store().prune(retention, 100));
  for (std::size_t i = 0; i < 5; ++i) {
    CPPUNIT_ASSERT_EQUAL(i >= 3, there(ground, few[i]));
    CPPUNIT_ASSERT_EQUAL(i >= 1, there(ground, many[i]));
    CPPUNIT_ASSERT_EQUAL(i >= 1, there(ground, young[i]));
  }
  retention = {};
  retention.repos = {{"a/many", 0, 1}};
  CPPUNIT_ASSERT_EQUAL_MESSAGE("also where nothing else is limited", 3, ground.store().prune(retention, 100));
}
