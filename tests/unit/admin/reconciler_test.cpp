// The reconciler with short leases, on a real store.

#include "components/admin/reconciler.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <memory>

#include "host/store/sqlite/sqlite_store.hpp"
#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using admin::Reconciler;
using admin::ReconcilerSettings;
using model::BuildState;
using std::chrono::milliseconds;

// SQLite has no connection that could break: this one says what the test says.
class Breakable final : public store::SqliteStore {
 public:
  using SqliteStore::SqliteStore;
  std::uint64_t interruptions() const override { return broken; }
  std::atomic<std::uint64_t> broken{0};
  void ping() override {
    if (away) throw store::Unavailable("it is away");
  }
  std::atomic<bool> away{false};
};

class ReconcilerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReconcilerTest);
  CPPUNIT_TEST(aLostBuildIsQueuedAgain);
  CPPUNIT_TEST(threeLostAttemptsAreAnError);
  CPPUNIT_TEST(aLostBuildThatWasToBeCanceledIsCanceled);
  CPPUNIT_TEST(aRenewedLeaseIsLeftAlone);
  CPPUNIT_TEST(noLeaseEndsBeforeOneHasBeenWatched);
  CPPUNIT_TEST(aStoreThatWasAwayStartsTheWatchAnew);
  CPPUNIT_TEST(aConnectionThatBrokeStartsTheWatchAnew);
  CPPUNIT_TEST(whoHearsThatTheStoreIsAwayLosesNoLease);
  CPPUNIT_TEST(oneOfTwoIsAtWork);
  CPPUNIT_TEST(oneThatEndsHandsOver);
  CPPUNIT_TEST(oneThatDiedIsReplaced);
  CPPUNIT_TEST(forgottenWakeUpsAreGivenAgain);
  CPPUNIT_TEST(oldBuildsGo);
  CPPUNIT_TEST(aRepoKeepsLessWhereItsFileSaysSo);
  CPPUNIT_TEST(aPullRequestHasNoSayInWhatIsKept);
  CPPUNIT_TEST(theOldestLogsGoWhereTheyTakeTooMuch);
  CPPUNIT_TEST(figuresTellTheQueue);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<Scene> scene_;
  daemon::Metrics metrics_;

  static ReconcilerSettings quick() {
    ReconcilerSettings settings;
    settings.interval = milliseconds(20);
    settings.prune_interval = milliseconds(40);
    settings.lease = milliseconds(120);
    settings.ask_store_every = milliseconds(20);
    return settings;
  }
  std::unique_ptr<Reconciler> start(const ReconcilerSettings& settings = quick()) {
    return std::make_unique<Reconciler>(scene_->engines, settings, metrics_);
  }
  model::Build build(const std::string& id) { return *scene_->store().findBuild(id); }
  bool there(const std::string& id) { return scene_->store().findBuild(id).has_value(); }
  Breakable& breakableStore() {
    auto owned = std::make_unique<Breakable>(engines::storeSettings(scene_->config));
    Breakable& breakable = *owned;
    scene_->engines.discovery.reset();
    scene_->engines.secrets.reset();
    scene_->engines.store = std::move(owned);
    scene_->engines.discovery = discovery::openStoreDiscovery(*scene_->engines.store);
    return breakable;
  }
  double figure(const std::string& line) {
    const std::string all = metrics_.print();
    const auto at = all.find("\n" + line + " ");
    CPPUNIT_ASSERT_MESSAGE(line + " is not in\n" + all, at != std::string::npos);
    return std::stod(all.substr(at + line.size() + 2));
  }
  void until(const std::string& what, const std::function<bool()>& holds) { waitUntil(what, holds); }

 public:
  void setUp() override { scene_ = std::make_unique<Scene>(); }
  void tearDown() override { scene_.reset(); }

  void aLostBuildIsQueuedAgain() {
    const auto claim = scene_->running(Scene::someBuild(), 1);
    const auto reconciler = start();
    until("it is queued", [&] { return build(claim.build_id).state == BuildState::queued; });
    CPPUNIT_ASSERT_EQUAL(std::string("worker_lost"), build(claim.build_id).reason);
    CPPUNIT_ASSERT_MESSAGE("the old claim is void", !scene_->store().updateStages(claim, {}));
    until("its wake-up was given", [&] { return scene_->store().outbox(1).empty(); });
    const auto again = scene_->store().claim("worker-2", {}, 30000);
    CPPUNIT_ASSERT(again && again->claim.attempt == 2 && again->build.id == claim.build_id);
    CPPUNIT_ASSERT_EQUAL(1.0, figure("ocelot_leases_ended_total"));
  }

  void threeLostAttemptsAreAnError() {
    const std::string id = scene_->running(Scene::someBuild(), 1).build_id;
    const auto reconciler = start();
    for (int attempt = 2; attempt <= 3; ++attempt) {
      until("it is queued", [&] { return build(id).state == BuildState::queued; });
      CPPUNIT_ASSERT(scene_->store().claim("worker-1", {}, 1));
    }
    until("it ends", [&] { return model::isFinal(build(id).state); });
    CPPUNIT_ASSERT(build(id).state == BuildState::error);
    CPPUNIT_ASSERT_EQUAL(std::string("worker_lost"), build(id).reason);
    CPPUNIT_ASSERT_EQUAL(std::string("worker worker-1 was lost in attempt 3 of 3"), build(id).sentence);
  }

  void aLostBuildThatWasToBeCanceledIsCanceled() {
    const std::string id = scene_->running(Scene::someBuild(), 1).build_id;
    scene_->store().cancel(id, "ada");
    const auto reconciler = start();
    until("it ends", [&] { return model::isFinal(build(id).state); });
    CPPUNIT_ASSERT(build(id).state == BuildState::canceled);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, build(id).sentence.find("canceled by ada"));
  }

  // Each lease is overdue when it is renewed: as if the store's clock had jumped.
  void aRenewedLeaseIsLeftAlone() {
    auto settings = quick();
    settings.lease = milliseconds(600);  // overdue ones are watched for 100 ms
    const auto claim = scene_->running(Scene::someBuild(), 1);
    const auto lost = scene_->running(Scene::someBuild(), 1);
    const auto reconciler = start(settings);
    until("the other one is queued", [&] {
      CPPUNIT_ASSERT(scene_->store().renew({claim}, 1).front().held);
      return build(lost.build_id).state == BuildState::queued;
    });
    CPPUNIT_ASSERT(build(claim.build_id).state == BuildState::running);
  }

  void noLeaseEndsBeforeOneHasBeenWatched() {
    auto settings = quick();
    settings.lease = milliseconds(400);
    const auto claim = scene_->running(Scene::someBuild(), 1);
    const auto began = std::chrono::steady_clock::now();
    const auto reconciler = start(settings);
    until("it is queued", [&] { return build(claim.build_id).state == BuildState::queued; });
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - began >= milliseconds(400));
  }

  void aStoreThatWasAwayStartsTheWatchAnew() {
    auto settings = quick();
    settings.lease = milliseconds(400);
    const auto reconciler = start(settings);
    scene_->takeAway("leaders");
    until("it was noticed", [&] { return figure("ocelot_store_errors_total") > 0; });
    const auto claim = scene_->running(Scene::someBuild(), 1);
    const auto back = std::chrono::steady_clock::now();
    scene_->bringBack("leaders");
    until("it is queued", [&] { return build(claim.build_id).state == BuildState::queued; });
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - back >= milliseconds(350));
  }

  void aConnectionThatBrokeStartsTheWatchAnew() {
    auto settings = quick();
    settings.lease = milliseconds(200);
    Breakable& breakable = breakableStore();
    const auto claim = scene_->running(Scene::someBuild(), 1);
    const auto reconciler = start(settings);
    // Broken every now and then for a while: nothing may be concluded.
    const auto end = std::chrono::steady_clock::now() + milliseconds(600);
    waitUntil("the time is over", [&] {
      ++breakable.broken;
      CPPUNIT_ASSERT(build(claim.build_id).state == BuildState::running);
      return std::chrono::steady_clock::now() > end;
    });
    const auto whole = std::chrono::steady_clock::now();
    until("it is queued", [&] { return build(claim.build_id).state == BuildState::queued; });
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - whole >= milliseconds(175));
  }

  void whoHearsThatTheStoreIsAwayLosesNoLease() {
    const auto settings = quick();
    Breakable& breakable = breakableStore();
    breakable.away = true;
    const auto claim = scene_->running(Scene::someBuild(), 1);
    const auto reconciler = start(settings);
    // Only this question is answered so; for all else the store is there.
    const auto end = std::chrono::steady_clock::now() + 2 * settings.lease;
    waitUntil("the time is over", [&] {
      CPPUNIT_ASSERT(build(claim.build_id).state == BuildState::running);
      const bool told = !reconciler->whyStoreAway().empty();
      return told && std::chrono::steady_clock::now() > end;
    });
    const auto told = std::chrono::steady_clock::now();
    breakable.away = false;
    until("it is queued", [&] { return build(claim.build_id).state == BuildState::queued; });
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - told >= settings.lease - settings.ask_store_every);
    CPPUNIT_ASSERT_EQUAL(std::string(), reconciler->whyStoreAway());
  }

  void oneOfTwoIsAtWork() {
    CPPUNIT_ASSERT(scene_->store().tryLead("reconciler", "another", 60000));
    const std::string id = scene_->running(Scene::someBuild(), 1).build_id;
    const auto idle = start();
    until("it looked", [&] { return figure("ocelot_builds_running") == 1; });
    until("leases are over", [&] { return !scene_->store().expiredLeases().empty(); });
    CPPUNIT_ASSERT(build(id).state == BuildState::running);
    CPPUNIT_ASSERT(scene_->store().tryLead("reconciler", "another", 0));
    until("it takes over", [&] { return build(id).state == BuildState::queued; });
  }

  void oneThatEndsHandsOver() {
    auto settings = quick();
    settings.interval = milliseconds(200000);
    auto first = start(settings);
    until("the first leads", [&] { return !scene_->store().tryLead("reconciler", "test", 0); });
    first.reset();
    CPPUNIT_ASSERT_MESSAGE("though its lock would have lasted for ten minutes",
                           scene_->store().tryLead("reconciler", "test", 0));
  }

  void oneThatDiedIsReplaced() {
    const auto settings = quick();
    CPPUNIT_ASSERT(scene_->store().tryLead("reconciler", "dead", 3 * settings.interval.count()));
    const std::string id = scene_->running(Scene::someBuild(), 1).build_id;
    const auto began = std::chrono::steady_clock::now();
    const auto reconciler = start(settings);
    until("it is queued", [&] { return build(id).state == BuildState::queued; });
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - began >= 2 * settings.interval);
  }

  void forgottenWakeUpsAreGivenAgain() {
    const auto forgotten = scene_->queued();
    std::vector<std::int64_t> ids;
    for (const auto& item : scene_->store().outbox(10)) ids.push_back(item.id);
    scene_->store().published(ids);
    scene_->sql("UPDATE builds SET queued_at = queued_at - 11000000");
    auto waiting = queue::openStoreQueue(engines::storeSettings(scene_->config));
    waiting->wait({"build"}, milliseconds(0));
    const auto reconciler = start();
    until("somebody is woken", [&] { return waiting->wait({"build"}, milliseconds(1000)); });
  }

  void oldBuildsGo() {
    auto settings = quick();
    settings.retention.keep_days = 30;
    settings.retention.keep_builds_per_repo = 2;
    std::vector<std::string> ids;
    for (int i = 0; i < 4; ++i) ids.push_back(scene_->ended(Scene::someBuild(), BuildState::failed));
    const std::string old = scene_->ended(Scene::someBuild("a/old"), BuildState::failed);
    scene_->age(old, 31);
    const auto reconciler = start(settings);
    until("they go", [&] { return !there(ids[0]) && !there(ids[1]) && !there(old); });
    CPPUNIT_ASSERT(there(ids[2]) && there(ids[3]));
    until("they are counted", [&] { return figure("ocelot_builds_pruned_total") == 3; });
  }

  void aRepoKeepsLessWhereItsFileSaysSo() {
    auto settings = quick();
    settings.retention.keep_builds_per_repo = 4;
    scene_->addRepo("a/few");
    scene_->addRepo("a/greedy");
    std::vector<std::string> few, greedy;
    const auto with = [](const std::string& repo, const std::string& keep) {
      auto one = Scene::someBuild(repo);
      one.pipeline += "keep: {" + keep + "}\n";
      return one;
    };
    for (int i = 0; i < 5; ++i) {
      few.push_back(scene_->ended(with("a/few", i < 4 ? "builds: 4" : "builds: 2"), BuildState::failed));
      greedy.push_back(scene_->ended(with("a/greedy", "builds: 1000, days: 9999"), BuildState::failed));
    }
    const auto reconciler = start(settings);
    until("they go", [&] { return !there(few[2]) && !there(greedy[0]); });
    CPPUNIT_ASSERT(there(few[3]) && there(few[4]));
    for (std::size_t i = 1; i < 5; ++i) CPPUNIT_ASSERT(there(greedy[i]));
  }

  void aPullRequestHasNoSayInWhatIsKept() {
    scene_->addRepo("account/repo");
    admin::Keeping keeping;
    CPPUNIT_ASSERT(keeping.wishes(scene_->store()).empty());
    auto own = Scene::someBuild();
    own.pipeline += "keep: {days: 7}\n";
    scene_->ended(own);
    auto foreign = Scene::someBuild();
    foreign.pipeline += "keep: {builds: 1}\n";
    foreign.trigger = model::Trigger::pull_request;
    scene_->ended(foreign);
    auto wrong = Scene::someBuild();
    wrong.pipeline = "keep: {builds: 1}\n";
    wrong.state = BuildState::rejected;
    scene_->store().accept(wrong, "");
    const auto wishes = keeping.wishes(scene_->store());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, wishes.size());
    CPPUNIT_ASSERT_EQUAL(std::string("account/repo"), wishes[0].repo);
    CPPUNIT_ASSERT_EQUAL(7, wishes[0].keep_days);
    CPPUNIT_ASSERT_EQUAL(0, wishes[0].keep_builds);
    scene_->ended();
    CPPUNIT_ASSERT_MESSAGE("the newest asks for nothing", keeping.wishes(scene_->store()).empty());
  }

  void theOldestLogsGoWhereTheyTakeTooMuch() {
    auto settings = quick();
    settings.keep_log_bytes = 25000;
    std::vector<std::string> ids;
    for (int i = 0; i < 24; ++i)
      ids.push_back(scene_->ended(Scene::someBuild(), BuildState::failed, std::string(1000, 'x')));
    const auto passed = scene_->ended(Scene::someBuild(), BuildState::passed, std::string(1000, 'x'));
    const auto newest = scene_->ended(Scene::someBuild(), BuildState::failed, std::string(1000, 'x'));
    const auto reconciler = start(settings);
    until("it fits", [&] { return scene_->store().logBytes() <= settings.keep_log_bytes; });
    CPPUNIT_ASSERT_MESSAGE("no more than needed, ten at a time", there(ids[10]));
    CPPUNIT_ASSERT(!there(ids[0]) && there(passed) && there(newest));
    until("it is told", [&] { return figure("ocelot_log_bytes") == 16000; });
  }

  void figuresTellTheQueue() {
    auto tagged = Scene::someBuild();
    tagged.machine_tag = "gpu";
    scene_->running();
    const auto waiting = scene_->queued(tagged);
    scene_->queued();
    scene_->engines.discovery->announce({"w1", "a", "", {}, 3, "0", "", 1, 0});
    scene_->engines.discovery->announce({"w2", "b", "", {}, 5, "0", "disk full", 1, 0});
    const auto reconciler = start();
    const std::string gpu = "ocelot_builds_queued{tag=\"gpu\"}";
    until("it is measured", [&] { return metrics_.print().find(gpu + " 1\n") != std::string::npos; });
    CPPUNIT_ASSERT_EQUAL(1.0, figure("ocelot_builds_queued{tag=\"\"}"));
    CPPUNIT_ASSERT_EQUAL(1.0, figure("ocelot_builds_running"));
    CPPUNIT_ASSERT_EQUAL(2.0, figure("ocelot_workers"));
    CPPUNIT_ASSERT_EQUAL(3.0, figure("ocelot_worker_slots"));
    scene_->store().cancel(waiting.id, "ada");
    until("an empty queue is told", [&] { return figure(gpu) == 0; });
    for (int i = 0; i < 120; ++i) {
      tagged = Scene::someBuild();
      tagged.machine_tag = "t" + std::to_string(i);
      scene_->queued(tagged);
    }
    until("many tags are told together", [&] {
      const std::string all = metrics_.print();
      return all.find("tag=\"(others)\"") != std::string::npos &&
             figure("ocelot_builds_queued{tag=\"(others)\"}") >= 20;
    });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ReconcilerTest);

}  // namespace
