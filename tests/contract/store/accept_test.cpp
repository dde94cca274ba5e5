#include <set>
#include <thread>

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

CONTRACT(anAcceptedBuildIsQueuedWithItsOutboxRow) {
  auto build = Ground::someBuild();
  build.machine_tag = "gpu";
  const auto accepted = ground.store().accept(build, "");
  CPPUNIT_ASSERT_EQUAL(std::size_t{36}, accepted.id.size());
  CPPUNIT_ASSERT(accepted.number > 0);
  CPPUNIT_ASSERT(!accepted.duplicate);
  const auto outbox = ground.store().outbox(10);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, outbox.size());
  CPPUNIT_ASSERT_EQUAL(std::string("build_gpu"), outbox.front().topic);
  ground.store().published({outbox.front().id});
  ground.store().published({});
  CPPUNIT_ASSERT(ground.store().outbox(10).empty());

  const auto found = ground.store().findBuild(accepted.id);
  CPPUNIT_ASSERT(found.has_value());
  CPPUNIT_ASSERT(found->state == BuildState::queued);
  CPPUNIT_ASSERT_EQUAL(accepted.number, found->number);
  CPPUNIT_ASSERT_EQUAL(build.repo, found->repo);
  CPPUNIT_ASSERT_EQUAL(build.branch, found->branch);
  CPPUNIT_ASSERT_EQUAL(build.author, found->author);
  CPPUNIT_ASSERT_EQUAL(build.message, found->message);
  CPPUNIT_ASSERT(found->trigger == model::Trigger::push);
  CPPUNIT_ASSERT_EQUAL(build.requested_by, found->requested_by);
  CPPUNIT_ASSERT_EQUAL(build.change_json, found->change_json);
  CPPUNIT_ASSERT_EQUAL(0, found->attempt);
  CPPUNIT_ASSERT(found->queued_at > 0);
  CPPUNIT_ASSERT_EQUAL(model::Micros{0}, found->finished_at);
}

CONTRACT(numbersCountUp) {
  const auto first = ground.accept();
  const auto second = ground.accept();
  CPPUNIT_ASSERT(second.number > first.number);
  CPPUNIT_ASSERT(second.id != first.id);
}

CONTRACT(aCallerMayChooseTheId) {
  auto build = Ground::someBuild();
  build.id = model::newUuid();
  CPPUNIT_ASSERT_EQUAL(build.id, ground.store().accept(build, "").id);
  CPPUNIT_ASSERT_THROW(ground.store().accept(build, ""), store::Conflict);
}

CONTRACT(aDedupeKeyIsAcceptedOnce) {
  const auto first = ground.store().accept(Ground::someBuild(), "push:repo:0123");
  const auto second = ground.store().accept(Ground::someBuild("other"), "push:repo:0123");
  CPPUNIT_ASSERT(second.duplicate);
  CPPUNIT_ASSERT_EQUAL(first.id, second.id);
  CPPUNIT_ASSERT_EQUAL(first.number, second.number);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().builds({}).size());
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().outbox(10).size());
  CPPUNIT_ASSERT(!ground.store().accept(Ground::someBuild(), "push:repo:4567").duplicate);
}

CONTRACT(aDedupeKeyIsAcceptedOnceByManyThatRace) {
  std::vector<store::Accepted> answers(8);
  std::vector<std::thread> threads;
  for (auto& answer : answers)
    threads.emplace_back([&] { answer = ground.store().accept(Ground::someBuild(), "one"); });
  for (auto& thread : threads) thread.join();
  std::set<std::string> ids;
  int fresh = 0;
  for (const auto& answer : answers) {
    ids.insert(answer.id);
    fresh += answer.duplicate ? 0 : 1;
  }
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ids.size());
  CPPUNIT_ASSERT_EQUAL(1, fresh);
}

CONTRACT(aRejectedBuildIsToldAndNeverRuns) {
  auto build = Ground::someBuild();
  build.state = BuildState::rejected;
  build.reason = "bad_pipeline";
  build.sentence = "ocelot.yml:3: unknown key \"stagse\"";
  const auto accepted = ground.store().accept(build, "");
  CPPUNIT_ASSERT(ground.store().outbox(10).empty());
  CPPUNIT_ASSERT(!ground.store().claim("w", {}, 1000));
  const auto notices = ground.store().takeNotices(10, 1000);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, notices.size());
  CPPUNIT_ASSERT_EQUAL(accepted.id, notices.front().build_id);
  const auto found = ground.store().findBuild(accepted.id);
  CPPUNIT_ASSERT(found->state == BuildState::rejected);
  CPPUNIT_ASSERT_EQUAL(build.sentence, found->sentence);
  CPPUNIT_ASSERT(found->finished_at > 0);
}

CONTRACT(onlyQueuedAndRejectedBuildsAreAccepted) {
  auto build = Ground::someBuild();
  build.state = BuildState::passed;
  CPPUNIT_ASSERT_THROW(ground.store().accept(build, ""), std::invalid_argument);
}

CONTRACT(textFromOutsideIsStoredAsValidText) {
  auto build = Ground::someBuild();
  build.message = std::string("a\0b", 3) + " \xFF \xC3\xA9 \xED\xA0\x80 $1 ' \" \\ ; -- end";
  build.author = "\xF0\x9F\x90\x88";
  build.branch = "feature/'; DROP TABLE builds; --";
  const auto found = ground.store().findBuild(ground.store().accept(build, "").id);
  CPPUNIT_ASSERT_EQUAL(std::string("a\xEF\xBF\xBD"
                                   "b \xEF\xBF\xBD \xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD $1 ' \" \\ ; -- end"),
                       found->message);
  CPPUNIT_ASSERT_EQUAL(build.author, found->author);
  CPPUNIT_ASSERT_EQUAL(build.branch, found->branch);
}

CONTRACT(whatComesFromOutsideIsBounded) {
  auto build = Ground::someBuild();
  build.message = std::string(4095, 'x') + "\xC3\xA9\xC3\xA9";
  CPPUNIT_ASSERT_EQUAL_MESSAGE("cut before the character that does not fit", std::string(4095, 'x'),
                               ground.store().findBuild(ground.store().accept(build, "").id)->message);
  build.pipeline = std::string(5 * 1024 * 1024, '#');
  CPPUNIT_ASSERT_THROW(ground.store().accept(build, ""), std::invalid_argument);
}
