#include <mutex>
#include <set>
#include <thread>

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

CONTRACT(aBuildIsClaimedByOneOfManyThatRaceForIt) {
  constexpr int kBuilds = 200, kThreads = 8;
  for (int i = 0; i < kBuilds; ++i) ground.accept();
  std::mutex mutex;
  std::multiset<std::string> builds;
  std::set<std::string> claims;
  std::vector<std::string> errors;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      try {
        const std::string worker = "worker-" + std::to_string(i);
        while (const auto claimed = ground.store().claim(worker, {}, 30'000)) {
          const std::lock_guard<std::mutex> lock(mutex);
          builds.insert(claimed->claim.build_id);
          claims.insert(claimed->claim.claim_id);
        }
      } catch (const std::exception& error) {
        const std::lock_guard<std::mutex> lock(mutex);
        errors.push_back(error.what());
      }
    });
  for (auto& thread : threads) thread.join();
  CPPUNIT_ASSERT_EQUAL_MESSAGE(errors.empty() ? "" : errors.front(), std::size_t{0}, errors.size());
  CPPUNIT_ASSERT_EQUAL(std::size_t{kBuilds}, builds.size());
  CPPUNIT_ASSERT_EQUAL(std::size_t{kBuilds}, std::set<std::string>(builds.begin(), builds.end()).size());
  CPPUNIT_ASSERT_EQUAL(std::size_t{kBuilds}, claims.size());
}

CONTRACT(aClaimCountsAttemptAndFenceAndStartsALease) {
  const auto accepted = ground.accept();
  const auto before = ground.store().now();
  const auto claimed = ground.store().claim("worker-1", {}, 30'000);
  CPPUNIT_ASSERT(claimed.has_value());
  CPPUNIT_ASSERT_EQUAL(accepted.id, claimed->claim.build_id);
  CPPUNIT_ASSERT_EQUAL(1, claimed->claim.attempt);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, claimed->claim.fence);
  CPPUNIT_ASSERT_EQUAL(std::size_t{32}, claimed->claim.claim_id.size());
  CPPUNIT_ASSERT(claimed->claim.lease_until >= before + 30'000'000);
  CPPUNIT_ASSERT(claimed->claim.lease_until <= ground.store().now() + 30'000'000);
  CPPUNIT_ASSERT_EQUAL(std::string("worker-1"), claimed->build.worker);
  CPPUNIT_ASSERT(claimed->build.state == BuildState::running);
  CPPUNIT_ASSERT(claimed->build.started_at >= before);
  CPPUNIT_ASSERT_EQUAL(Ground::someBuild().pipeline, claimed->build.pipeline);
  CPPUNIT_ASSERT_EQUAL(Ground::someBuild().commit, claimed->build.commit);
  CPPUNIT_ASSERT(!ground.store().claim("worker-1", {}, 30'000));
}

CONTRACT(theQueueGoesByPriorityThenAge) {
  auto build = Ground::someBuild();
  const auto first = ground.store().accept(build, "");
  const auto second = ground.store().accept(build, "");
  build.priority = 5;
  const auto urgent = ground.store().accept(build, "");
  build.priority = -1;
  const auto idle = ground.store().accept(build, "");
  for (const auto& expected : {urgent, first, second, idle})
    CPPUNIT_ASSERT_EQUAL(expected.number, ground.store().claim("w", {}, 1000)->build.number);
}

CONTRACT(aTaggedBuildWaitsForAWorkerWithThatTag) {
  auto build = Ground::someBuild();
  build.machine_tag = "gpu";
  const auto tagged = ground.store().accept(build, "");
  CPPUNIT_ASSERT(!ground.store().claim("w", {}, 1000));
  CPPUNIT_ASSERT(!ground.store().claim("w", {"arm", "g", "gpu2", "\"gpu", "gp'u"}, 1000));
  const auto plain = ground.accept();
  CPPUNIT_ASSERT_EQUAL(tagged.id, ground.store().claim("w", {"arm", "gpu"}, 1000)->claim.build_id);
  CPPUNIT_ASSERT_EQUAL(plain.id, ground.store().claim("w", {"arm", "gpu"}, 1000)->claim.build_id);
}

CONTRACT(aheadInQueueCountsWhatWouldBeClaimedBefore) {
  auto build = Ground::someBuild();
  ground.store().accept(build, "");
  const auto second = ground.store().accept(build, "");
  build.machine_tag = "gpu";
  const auto tagged = ground.store().accept(build, "");
  build.machine_tag = "arm";
  ground.store().accept(build, "");
  build.machine_tag = "";
  build.priority = 1;
  const auto urgent = ground.store().accept(build, "");
  const auto ahead = [&](const store::Accepted& of) {
    return ground.store().aheadInQueue(*ground.store().findBuild(of.id));
  };
  CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, ahead(second));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, ahead(tagged));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, ahead(urgent));
}

CONTRACT(everyWriteOfARunningBuildNeedsItsClaim) {
  const auto claimed = ground.running();
  store::Claim stranger = claimed.claim;
  stranger.claim_id = model::newClaimId();
  store::Claim nobody = claimed.claim;
  nobody.claim_id = "";
  for (const auto& wrong : {stranger, nobody}) {
    CPPUNIT_ASSERT(!ground.store().updateStages(wrong, {{}}));
    CPPUNIT_ASSERT(!ground.store().appendLog(wrong, 0, "forged"));
    CPPUNIT_ASSERT(!ground.store().finish(Ground::ending(wrong)));
    CPPUNIT_ASSERT(!ground.store().release(wrong, "no"));
    const auto renewals = ground.store().renew({wrong}, 30'000);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, renewals.size());
    CPPUNIT_ASSERT(!renewals.front().held);
  }
  const auto build = ground.store().findBuild(claimed.claim.build_id);
  CPPUNIT_ASSERT(build->state == BuildState::running);
  CPPUNIT_ASSERT(build->stages.empty());
  CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, build->log_bytes);
  CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 0, "true").has_value());
}

CONTRACT(aClaimThatWasEndedChangesNothingAnyMore) {
  const auto old = ground.running(1);
  waitUntil("the lease ends", [&] { return !ground.store().expiredLeases().empty(); });
  CPPUNIT_ASSERT(ground.store().endLease(ground.store().expiredLeases().front(), 3));
  const auto again = ground.store().claim("worker-2", {}, 30'000);
  CPPUNIT_ASSERT(again.has_value());
  CPPUNIT_ASSERT_EQUAL(2, again->claim.attempt);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, again->claim.fence);
  CPPUNIT_ASSERT(again->claim.claim_id != old.claim.claim_id);

  CPPUNIT_ASSERT(!ground.store().appendLog(old.claim, 0, "late"));
  CPPUNIT_ASSERT(!ground.store().updateStages(old.claim, {{}}));
  CPPUNIT_ASSERT(!ground.store().finish(Ground::ending(old.claim, BuildState::failed)));
  CPPUNIT_ASSERT(!ground.store().release(old.claim, "late"));
  CPPUNIT_ASSERT(!ground.store().renew({old.claim}, 1000).front().held);
  CPPUNIT_ASSERT(ground.store().renew({again->claim}, 1000).front().held);
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(again->claim)));
  CPPUNIT_ASSERT(ground.store().findBuild(old.claim.build_id)->state == BuildState::passed);
}

CONTRACT(aBuildIsCompletedOnce) {
  const auto claimed = ground.running();
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claimed.claim, BuildState::failed)));
  CPPUNIT_ASSERT(!ground.store().finish(Ground::ending(claimed.claim, BuildState::passed)));
  CPPUNIT_ASSERT(!ground.store().release(claimed.claim, "late"));
  const auto build = ground.store().findBuild(claimed.claim.build_id);
  CPPUNIT_ASSERT(build->state == BuildState::failed);
  CPPUNIT_ASSERT_EQUAL(std::string("stage_failed"), build->reason);
  CPPUNIT_ASSERT(build->finished_at >= build->started_at);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().takeNotices(10, 1000).size());
}

CONTRACT(finishTakesOnlyStatesThatARunningBuildCanEndIn) {
  const auto claimed = ground.running();
  for (const auto state : {BuildState::queued, BuildState::running, BuildState::rejected})
    CPPUNIT_ASSERT_THROW(ground.store().finish(Ground::ending(claimed.claim, state)), std::invalid_argument);
}

CONTRACT(aFinalStateIsNeverLeftNotEvenBehindTheStoresBack) {
  const std::string id = ground.ended(BuildState::passed);
  for (const std::string state : {"queued", "running", "failed", "canceled"}) {
    bool refused = false;
    try {
      ground.engine().sql("UPDATE builds SET state = '" + state + "' WHERE id = '" + id + "'");
    } catch (const std::exception&) {
      refused = true;
    }
    CPPUNIT_ASSERT_MESSAGE("passed became " + state, refused);
  }
  const auto queued = ground.accept();
  bool refused = false;
  try {
    ground.engine().sql("UPDATE builds SET state = 'passed' WHERE id = '" + queued.id + "'");
  } catch (const std::exception&) {
    refused = true;
  }
  CPPUNIT_ASSERT_MESSAGE("queued became passed", refused);
}

CONTRACT(releasedGoesBackWithoutCountingTheAttempt) {
  const auto claimed = ground.running();
  store::Stage stage;
  stage.name = "test";
  CPPUNIT_ASSERT(ground.store().updateStages(claimed.claim, {stage}));
  ground.store().published({ground.store().outbox(10).front().id});
  CPPUNIT_ASSERT(ground.store().release(claimed.claim, "worker-1 is being restarted"));
  auto build = ground.store().findBuild(claimed.claim.build_id);
  CPPUNIT_ASSERT(build->state == BuildState::queued);
  CPPUNIT_ASSERT_EQUAL(0, build->attempt);
  CPPUNIT_ASSERT_EQUAL(std::string("worker_drained"), build->reason);
  CPPUNIT_ASSERT_EQUAL(std::string("worker-1 is being restarted"), build->sentence);
  CPPUNIT_ASSERT(build->stages.empty());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("somebody is woken for it", std::size_t{1}, ground.store().outbox(10).size());
  const auto again = ground.store().claim("worker-2", {}, 1000);
  CPPUNIT_ASSERT_EQUAL(1, again->claim.attempt);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, again->claim.fence);
}

CONTRACT(aWorkerFindsWhatItHeldBeforeItsRestart) {
  const auto claimed = ground.running();
  store::Stage stage;
  stage.name = "test";
  stage.state = model::StageState::running;
  CPPUNIT_ASSERT(ground.store().updateStages(claimed.claim, {stage}));
  const auto held = ground.openAnother()->heldBy("worker-1");
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, held.size());
  CPPUNIT_ASSERT_EQUAL(claimed.claim.claim_id, held.front().claim.claim_id);
  CPPUNIT_ASSERT_EQUAL(claimed.claim.fence, held.front().claim.fence);
  CPPUNIT_ASSERT_EQUAL(1, held.front().claim.attempt);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, held.front().build.stages.size());
  CPPUNIT_ASSERT(ground.store().heldBy("worker-2").empty());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("claimed when workers had no keys", std::size_t{1},
                               ground.store().heldBy({"worker-1", "its new key"}).size());
}

CONTRACT(whatWasClaimedUnderAKeyIsFoundByThatKeyAlone) {
  ground.accept();
  const auto claimed = ground.store().claim({"worker-1", "its key"}, {}, 30'000);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().heldBy({"worker-1", "its key"}).size());
  CPPUNIT_ASSERT(ground.store().heldBy({"worker-1", "another"}).empty());
  CPPUNIT_ASSERT(ground.store().heldBy("worker-1").empty());
  CPPUNIT_ASSERT(ground.store().heldBy({"worker-2", "its key"}).empty());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("the key itself is not kept", std::string("0"),
                               ground.engine().text("SELECT count(*) FROM builds WHERE worker_key LIKE '%key%'"));
  CPPUNIT_ASSERT(ground.store().holds(claimed->claim));
  store::Claim forged = claimed->claim;
  forged.claim_id = model::newClaimId();
  CPPUNIT_ASSERT(!ground.store().holds(forged));
  CPPUNIT_ASSERT(ground.store().release(claimed->claim, "drained"));
  CPPUNIT_ASSERT(!ground.store().holds(claimed->claim));
  forged.claim_id = "";
  CPPUNIT_ASSERT(!ground.store().holds(forged));
  // Whoever has no key claims it next: the earlier one's does not stay.
  ground.store().claim("worker-1", {}, 30'000);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().heldBy("worker-1").size());
}

CONTRACT(whatPassedBeforeIsToldToWhoeverRunsABuild) {
  auto build = Ground::someBuild();
  build.commit = std::string(40, 'a');
  ground.store().accept(build, "");
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(ground.store().claim("w", {}, 30'000)->claim)));
  ground.ended(model::BuildState::failed);
  ground.ended(model::BuildState::passed, "other");
  const auto running = ground.running();
  CPPUNIT_ASSERT_EQUAL(std::string(40, 'a'), ground.store().previousPassed(running.claim));
  store::Claim forged = running.claim;
  forged.claim_id = model::newClaimId();
  CPPUNIT_ASSERT_EQUAL(std::string(), ground.store().previousPassed(forged));
}
