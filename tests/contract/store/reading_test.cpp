#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

namespace {

std::vector<std::int64_t> numbers(const std::vector<store::Build>& builds) {
  std::vector<std::int64_t> out;
  for (const auto& build : builds) out.push_back(build.number);
  return out;
}

}  // namespace

CONTRACT(aBuildIsFoundByNumberIdAndBeginningOfItsId) {
  auto build = Ground::someBuild();
  build.id = "abcdef01-2345-4678-9abc-def012345678";
  const auto accepted = ground.store().accept(build, "");
  auto& store = ground.store();
  for (const std::string& name : {std::to_string(accepted.number), build.id, std::string("abcdef01"),
                                  std::string("abcdef01-23"), std::string("ABCDEF01")}) {
    const auto found = store.findBuild(name);
    CPPUNIT_ASSERT_MESSAGE(name, found.has_value());
    CPPUNIT_ASSERT_EQUAL(build.id, found->id);
  }
  for (const std::string& name :
       {std::string("abcdef0"), std::string("abcdef02"), std::string("0"), std::string("-1"), std::string(""),
        std::string("abcdef01%"), std::string("99999999999999999999999"), build.id + "0", std::string("'; --")})
    CPPUNIT_ASSERT_MESSAGE(name, !store.findBuild(name).has_value());
  build.id = "abcdef01-9999-4678-9abc-def012345678";
  store.accept(build, "");
  CPPUNIT_ASSERT_THROW(store.findBuild("abcdef01"), store::Conflict);
  CPPUNIT_ASSERT(store.findBuild("abcdef01-9").has_value());
}

CONTRACT(anAllDigitBeginningIsAnIdWhenNoNumber) {
  auto build = Ground::someBuild();
  build.id = "12345678-2345-4678-9abc-def012345678";
  ground.store().accept(build, "");
  CPPUNIT_ASSERT_EQUAL(build.id, ground.store().findBuild("12345678")->id);
}

CONTRACT(aBuildIsShownWithItsStages) {
  const auto claimed = ground.running();
  store::Stage one;
  one.index = 0;
  one.name = "compile";
  one.state = model::StageState::passed;
  one.exit_code = 0;
  one.started_at = 11;
  one.finished_at = 12;
  one.cpu_us = 13;
  one.max_rss_bytes = std::int64_t{5} << 32;
  one.log_begin = 14;
  one.log_end = 15;
  one.line = 3;
  store::Stage two;
  two.index = 1;
  two.name = "test";
  two.state = model::StageState::running;
  CPPUNIT_ASSERT(ground.store().updateStages(claimed.claim, {one, two}));
  two.state = model::StageState::failed;
  two.exit_code = 2;
  two.sentence = "exit status 2";
  auto end = Ground::ending(claimed.claim, BuildState::failed);
  end.stages = {two};
  CPPUNIT_ASSERT(ground.store().finish(end));

  const auto stages = ground.store().findBuild(claimed.claim.build_id)->stages;
  CPPUNIT_ASSERT_EQUAL(std::size_t{2}, stages.size());
  CPPUNIT_ASSERT_EQUAL(std::string("compile"), stages[0].name);
  CPPUNIT_ASSERT(stages[0].state == model::StageState::passed);
  CPPUNIT_ASSERT_EQUAL(0, stages[0].exit_code);
  CPPUNIT_ASSERT_EQUAL(model::Micros{11}, stages[0].started_at);
  CPPUNIT_ASSERT_EQUAL(model::Micros{12}, stages[0].finished_at);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{13}, stages[0].cpu_us);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{5} << 32, stages[0].max_rss_bytes);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{14}, stages[0].log_begin);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{15}, stages[0].log_end);
  CPPUNIT_ASSERT_EQUAL(3, stages[0].line);
  CPPUNIT_ASSERT(stages[1].state == model::StageState::failed);
  CPPUNIT_ASSERT_EQUAL(2, stages[1].exit_code);
  CPPUNIT_ASSERT_EQUAL(std::string("exit status 2"), stages[1].sentence);
}

CONTRACT(buildsAreListedNewestFirstAndInPages) {
  std::vector<std::int64_t> all;
  for (int i = 0; i < 25; ++i) all.insert(all.begin(), ground.accept().number);
  store::BuildFilter page;
  page.limit = 10;
  std::vector<std::int64_t> seen;
  for (;;) {
    const auto builds = ground.store().builds(page);
    if (builds.empty()) break;
    CPPUNIT_ASSERT(builds.size() <= 10);
    for (const auto number : numbers(builds)) seen.push_back(number);
    page.before_number = seen.back();
  }
  CPPUNIT_ASSERT(seen == all);
  page = {};
  page.limit = 0;
  CPPUNIT_ASSERT_EQUAL_MESSAGE("at least one", std::size_t{1}, ground.store().builds(page).size());
  page.limit = 1'000'000;
  CPPUNIT_ASSERT_EQUAL(std::size_t{25}, ground.store().builds(page).size());
}

CONTRACT(buildsAreFilteredByEverythingAtOnce) {
  auto& store = ground.store();
  auto build = Ground::someBuild();
  const auto main = store.accept(build, "");
  build.branch = "topic";
  build.commit = "fedcba9876543210fedcba9876543210fedcba98";
  const auto topic = store.accept(build, "");
  build.repo = "account/other";
  const auto other = store.accept(build, "");
  store.cancel(main.id, "ada");

  const auto listed = [&](const store::BuildFilter& filter) { return numbers(store.builds(filter)); };
  using Numbers = std::vector<std::int64_t>;
  store::BuildFilter filter;
  filter.repo = "account/repo";
  CPPUNIT_ASSERT(listed(filter) == (Numbers{topic.number, main.number}));
  filter.branch = "topic";
  CPPUNIT_ASSERT(listed(filter) == (Numbers{topic.number}));
  filter.branch = "";
  filter.states = {BuildState::canceled, BuildState::error};
  CPPUNIT_ASSERT(listed(filter) == (Numbers{main.number}));
  filter = {};
  filter.commit_prefix = "FEDCBA98";
  CPPUNIT_ASSERT(listed(filter) == (Numbers{other.number, topic.number}));
  filter.states = {BuildState::queued};
  filter.repo = "account/other";
  filter.branch = "topic";
  filter.before_number = other.number + 1;
  CPPUNIT_ASSERT(listed(filter) == (Numbers{other.number}));
  filter = {};
  filter.commit_prefix = "fed%";
  CPPUNIT_ASSERT(listed(filter).empty());
  filter = {};
  filter.repo = "' OR 1=1 --";
  CPPUNIT_ASSERT(listed(filter).empty());
}
