#include <atomic>
#include <thread>

#include "host/store/lead.hpp"
#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

namespace {

store::Store::ExpiredLease expired(Ground& ground) {
  waitUntil("a lease ends", [&] { return !ground.store().expiredLeases().empty(); });
  return ground.store().expiredLeases().front();
}

}  // namespace

CONTRACT(aLeaseThatIsRenewedDoesNotEnd) {
  const auto claimed = ground.running(1);
  const auto lease = expired(ground);
  CPPUNIT_ASSERT_EQUAL(claimed.claim.claim_id, lease.claim_id);
  CPPUNIT_ASSERT_EQUAL(std::string("worker-1"), lease.worker);
  CPPUNIT_ASSERT_EQUAL(1, lease.attempt);
  CPPUNIT_ASSERT(ground.store().renew({claimed.claim}, 30'000).front().held);
  CPPUNIT_ASSERT(ground.store().expiredLeases().empty());
  CPPUNIT_ASSERT_MESSAGE("renewed meanwhile", !ground.store().endLease(lease, 3));
  CPPUNIT_ASSERT(ground.store().findBuild(claimed.claim.build_id)->state == BuildState::running);
}

CONTRACT(allBuildsOfAWorkerAreRenewedAtOnce) {
  std::vector<store::Claim> claims;
  for (int i = 0; i < 20; ++i) claims.push_back(ground.running(1).claim);
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claims[7])));
  ground.store().cancel(claims[3].build_id, "ada");
  const auto renewals = ground.store().renew(claims, 30'000);
  CPPUNIT_ASSERT_EQUAL(claims.size(), renewals.size());
  for (std::size_t i = 0; i < claims.size(); ++i) {
    CPPUNIT_ASSERT_EQUAL(claims[i].build_id, renewals[i].build_id);
    CPPUNIT_ASSERT_EQUAL(i != 7, renewals[i].held);
    CPPUNIT_ASSERT_EQUAL(i == 3, renewals[i].cancel_requested);
  }
  CPPUNIT_ASSERT(ground.store().expiredLeases().empty());
  CPPUNIT_ASSERT(ground.store().renew({}, 1000).empty());
}

CONTRACT(anEndedLeaseIsQueuedAgainAtItsOldPlace) {
  const auto claimed = ground.running(1);
  store::Stage stage;
  stage.name = "test";
  ground.store().updateStages(claimed.claim, {stage});
  ground.store().published({ground.store().outbox(1).front().id});
  const auto queued_at = ground.store().findBuild(claimed.claim.build_id)->queued_at;
  CPPUNIT_ASSERT(ground.store().endLease(expired(ground), 3));
  const auto build = ground.store().findBuild(claimed.claim.build_id);
  CPPUNIT_ASSERT(build->state == BuildState::queued);
  CPPUNIT_ASSERT_EQUAL(std::string("worker_lost"), build->reason);
  CPPUNIT_ASSERT(build->sentence.find("worker-1") != std::string::npos);
  CPPUNIT_ASSERT_EQUAL(1, build->attempt);
  CPPUNIT_ASSERT_EQUAL(queued_at, build->queued_at);
  CPPUNIT_ASSERT(build->stages.empty());
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().outbox(10).size());
}

CONTRACT(aWorkerLostOnceTooOftenIsAnError) {
  const std::string id = ground.running(1).claim.build_id;
  CPPUNIT_ASSERT(ground.store().endLease(expired(ground), 2));
  CPPUNIT_ASSERT(ground.store().claim("worker-2", {}, 1));
  CPPUNIT_ASSERT(ground.store().takeNotices(10, 1).empty());
  CPPUNIT_ASSERT(ground.store().endLease(expired(ground), 2));
  const auto build = ground.store().findBuild(id);
  CPPUNIT_ASSERT(build->state == BuildState::error);
  CPPUNIT_ASSERT_EQUAL(std::string("worker_lost"), build->reason);
  CPPUNIT_ASSERT_EQUAL(std::string("worker worker-2 was lost in attempt 2 of 2"), build->sentence);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().takeNotices(10, 1).size());
}

CONTRACT(aCanceledBuildWhoseWorkerIsLostIsCanceled) {
  const std::string id = ground.running(1).claim.build_id;
  CPPUNIT_ASSERT(ground.store().cancel(id, "ada") == BuildState::running);
  CPPUNIT_ASSERT(ground.store().endLease(expired(ground), 3));
  CPPUNIT_ASSERT(ground.store().findBuild(id)->state == BuildState::canceled);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, ground.store().takeNotices(10, 1).size());
}

CONTRACT(aLeaseIsEndedOnceByManyThatTry) {
  ground.running(1);
  const auto lease = expired(ground);
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { ended += ground.store().endLease(lease, 3) ? 1 : 0; });
  for (auto& thread : threads) thread.join();
  CPPUNIT_ASSERT_EQUAL(1, ended.load());
}

CONTRACT(oneLeadsAtATime) {
  auto& store = ground.store();
  CPPUNIT_ASSERT(store.tryLead("reconciler", "admin-1", 60'000));
  CPPUNIT_ASSERT(!store.tryLead("reconciler", "admin-2", 60'000));
  CPPUNIT_ASSERT_MESSAGE("the one who leads goes on", store.tryLead("reconciler", "admin-1", 1));
  CPPUNIT_ASSERT_MESSAGE("another role is another lock", store.tryLead("poller", "admin-2", 60'000));
  waitUntil("the lock ends", [&] { return store.tryLead("reconciler", "admin-2", 60'000); });
  CPPUNIT_ASSERT(!store.tryLead("reconciler", "admin-1", 60'000));
}

CONTRACT(aLeadIsKeptWhileItsHolderLives) {
  auto& store = ground.store();
  const auto hold = std::chrono::milliseconds(600);
  auto lead = ocelot::store::Lead::tryTake(store, "poll x", "poller-1", hold);
  CPPUNIT_ASSERT(lead);
  const auto end = std::chrono::steady_clock::now() + 3 * hold;
  waitUntil("it would have ended thrice", [&] {
    CPPUNIT_ASSERT(!ocelot::store::Lead::tryTake(store, "poll x", "poller-2", hold));
    return std::chrono::steady_clock::now() > end;
  });
  lead.reset();
  CPPUNIT_ASSERT_MESSAGE("it was given back", ocelot::store::Lead::tryTake(store, "poll x", "poller-2", hold));
}

CONTRACT(whoeverWasForgottenIsWokenAgain) {
  auto build = Ground::someBuild();
  ground.store().accept(build, "");
  ground.store().accept(build, "");
  build.machine_tag = "gpu";
  ground.store().accept(build, "");
  CPPUNIT_ASSERT(ground.store().staleTopics(60'000).empty());
  waitUntil("they are older than a millisecond", [&] { return ground.store().staleTopics(1).size() == 2; });
  CPPUNIT_ASSERT(ground.store().staleTopics(1) == (std::vector<std::string>{"build", "build_gpu"}));
  ground.store().claim("w", {}, 1000);
  ground.store().claim("w", {}, 1000);
  CPPUNIT_ASSERT(ground.store().staleTopics(1) == (std::vector<std::string>{"build_gpu"}));
}

CONTRACT(cancelEndsAQueuedBuildAtOnce) {
  const auto accepted = ground.accept();
  CPPUNIT_ASSERT(ground.store().cancel(accepted.id, "ada") == BuildState::canceled);
  const auto build = ground.store().findBuild(accepted.id);
  CPPUNIT_ASSERT_EQUAL(std::string("canceled by ada before it ran"), build->sentence);
  CPPUNIT_ASSERT(build->finished_at > 0);
  CPPUNIT_ASSERT(!ground.store().claim("w", {}, 1000));
  CPPUNIT_ASSERT(ground.store().cancel(accepted.id, "bob") == BuildState::canceled);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("told once", std::size_t{1}, ground.store().takeNotices(10, 1000).size());
  CPPUNIT_ASSERT(!ground.store().cancel(model::newUuid(), "ada"));
}

CONTRACT(cancelLeavesAnEndedBuildAlone) {
  const std::string id = ground.ended(BuildState::passed);
  CPPUNIT_ASSERT(ground.store().cancel(id, "ada") == BuildState::passed);
  CPPUNIT_ASSERT(!ground.store().findBuild(id)->cancel_requested);
}

CONTRACT(aReleasedBuildThatWasCanceledIsNotQueuedAgain) {
  const auto claimed = ground.running();
  ground.store().cancel(claimed.claim.build_id, "ada");
  ground.store().cancel(claimed.claim.build_id, "bob");
  CPPUNIT_ASSERT(ground.store().release(claimed.claim, "drain"));
  const auto build = ground.store().findBuild(claimed.claim.build_id);
  CPPUNIT_ASSERT(build->state == BuildState::canceled);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("the first who asked", std::string("canceled by ada"), build->sentence);
}

CONTRACT(cancelAndClaimRacingLoseNoBuildAndNoCancel) {
  for (int round = 0; round < 30; ++round) {
    const auto accepted = ground.accept();
    std::optional<store::ClaimedBuild> claimed;
    std::optional<BuildState> state;
    std::thread worker([&] { claimed = ground.store().claim("w", {}, 30'000); });
    std::thread person([&] { state = ground.store().cancel(accepted.id, "ada"); });
    worker.join();
    person.join();
    if (claimed) {
      CPPUNIT_ASSERT(state == BuildState::running);
      CPPUNIT_ASSERT(ground.store().renew({claimed->claim}, 30'000).front().cancel_requested);
      CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claimed->claim, BuildState::canceled)));
    } else {
      CPPUNIT_ASSERT(state == BuildState::canceled);
    }
    CPPUNIT_ASSERT(ground.store().findBuild(accepted.id)->state == BuildState::canceled);
  }
}

CONTRACT(cancelAndFinishRacingGiveOneEnd) {
  for (int round = 0; round < 30; ++round) {
    const auto claimed = ground.running();
    bool finished = false;
    std::thread worker([&] { finished = ground.store().finish(Ground::ending(claimed.claim)); });
    std::thread person([&] { ground.store().cancel(claimed.claim.build_id, "ada"); });
    worker.join();
    person.join();
    CPPUNIT_ASSERT(finished);
    CPPUNIT_ASSERT(ground.store().findBuild(claimed.claim.build_id)->state == BuildState::passed);
  }
  CPPUNIT_ASSERT_EQUAL(std::size_t{30}, ground.store().takeNotices(100, 1000).size());
}
