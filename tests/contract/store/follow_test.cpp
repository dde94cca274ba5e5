// Following an active build out of the store: what tells of its changes where the engine can, and the log that is read
// by it on every engine.

#include <poll.h>

#include <thread>

#include "host/logserve/log_answer.hpp"
#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

bool readable(int fd, int timeout_ms) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, timeout_ms) == 1;
}

// nullptr where the engine tells of nothing.
std::unique_ptr<store::Watch> watching(Ground& ground, const std::string& build_id) {
  auto watch = ground.store().watch(build_id);
  CPPUNIT_ASSERT_EQUAL(ground.engine().hasServer(), watch != nullptr);
  if (watch) waitUntil("the build's changes are heard of", [&] { return watch->fd() >= 0; });
  return watch;
}

void told(store::Watch& watch, const std::string& of) {
  const int fd = watch.fd();
  CPPUNIT_ASSERT_MESSAGE(of, fd >= 0);
  CPPUNIT_ASSERT_MESSAGE(of, readable(fd, 10'000));
  watch.clear();
}

// Reads as an HTTP connection does, and remembers how it waited.
class Reader final : public http::StreamWriter {
 public:
  bool write(std::string_view bytes) override {
    seen += bytes;
    return true;
  }
  bool wait(std::chrono::milliseconds at_most, int fd) override {
    if (fd >= 0) ++waits_for_news;
    if (on_wait) on_wait();
    if (!readable(fd, static_cast<int>(at_most.count())) && fd >= 0) ++missed;
    return true;
  }
  bool draining() const override { return false; }
  std::string seen;
  int waits_for_news = 0, missed = 0;
  std::function<void()> on_wait;
};

}  // namespace

CONTRACT(aWatchTellsOfEachChangeOfItsBuild) {
  const auto claimed = ground.running();
  const auto watch = watching(ground, claimed.claim.build_id);
  if (!watch) return;
  const auto worker = ground.openAnother();
  watch->clear();
  CPPUNIT_ASSERT(worker->appendLog(claimed.claim, 0, "one"));
  told(*watch, "a chunk");
  model::Stage stage;
  stage.name = "test";
  stage.state = model::StageState::passed;
  CPPUNIT_ASSERT(worker->updateStages(claimed.claim, {stage}));
  told(*watch, "a stage");
  CPPUNIT_ASSERT(worker->finish(Ground::ending(claimed.claim)));
  told(*watch, "the end");
}

CONTRACT(aWatchTellsWhenItsBuildIsGivenBackOrCanceled) {
  const auto claimed = ground.running();
  const auto watch = watching(ground, claimed.claim.build_id);
  if (!watch) return;
  const auto other = ground.openAnother();
  watch->clear();
  CPPUNIT_ASSERT(other->release(claimed.claim, "drain"));
  told(*watch, "given back");
  CPPUNIT_ASSERT(other->cancel(claimed.claim.build_id, "ada").has_value());
  told(*watch, "canceled");
}

// Notifying costs every writer of the database: nobody pays it for a log that nobody follows.
CONTRACT(changesOfOtherBuildsAreNotToldOf) {
  const auto followed = ground.running();
  const auto other = ground.running();
  const auto watch = watching(ground, followed.claim.build_id);
  if (!watch) return;
  watch->clear();
  CPPUNIT_ASSERT(ground.store().appendLog(other.claim, 0, "other"));
  CPPUNIT_ASSERT(ground.store().appendLog(followed.claim, 0, "followed"));
  told(*watch, "the followed one");
  CPPUNIT_ASSERT_MESSAGE("told of one change", !readable(watch->fd(), 0));
}

CONTRACT(everyFollowerOfABuildIsTold) {
  const auto claimed = ground.running();
  const auto first = watching(ground, claimed.claim.build_id);
  if (!first) return;
  const auto second = watching(ground, claimed.claim.build_id);
  const auto elsewhere = ground.openAnother();
  const auto third = elsewhere->watch(claimed.claim.build_id);
  waitUntil("the other process hears too", [&] { return third->fd() >= 0; });
  for (auto* watch : {first.get(), second.get(), third.get()}) watch->clear();
  CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 0, "one"));
  for (auto* watch : {first.get(), second.get(), third.get()}) told(*watch, "a chunk");
}

// The lock goes with its last follower, and comes again with the next.
CONTRACT(aBuildIsLeftAloneAgain) {
  const auto claimed = ground.running();
  const auto locks = [&] {
    return ground.engine().text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())");
  };
  {
    const auto watch = watching(ground, claimed.claim.build_id);
    if (!watch) return;
    CPPUNIT_ASSERT_EQUAL(std::string("1"), locks());
  }
  waitUntil("the lock is gone", [&] { return locks() == "0"; });
  const auto again = watching(ground, claimed.claim.build_id);
  again->clear();
  CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 0, "one"));
  told(*again, "a chunk");
}

CONTRACT(aWatchSurvivesARestartOfTheServer) {
  const auto claimed = ground.running();
  const auto watch = watching(ground, claimed.claim.build_id);
  if (!watch) return;
  watch->clear();
  const int fd = watch->fd();
  ground.engine().restart();
  CPPUNIT_ASSERT_MESSAGE("whoever waits is woken by the loss", readable(fd, 10'000));
  waitUntil("changes are heard of again", [&] { return watch->fd() >= 0; });
  watch->clear();
  CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 0, "one"));
  told(*watch, "a chunk after the restart");
}

CONTRACT(aFollowedLogComesAsItIsShippedAndEndsWithItsBuild) {
  const auto claimed = ground.running();
  const auto worker = ground.openAnother();
  logserve::Query query;
  query.follow = true;
  const auto answer = logserve::answer(query, logserve::openStored(ground.store(), claimed.claim.build_id));
  Reader reader;
  std::int64_t shipped = 0;
  // Each time that the follower has seen everything there is more; after the fifth chunk comes the end.
  reader.on_wait = [&, seen = std::string("x")]() mutable {
    if (seen == reader.seen) return;
    seen = reader.seen;
    if (shipped < 25)
      shipped = worker->appendLog(claimed.claim, shipped, "line\n").value();
    else
      CPPUNIT_ASSERT(worker->finish(Ground::ending(claimed.claim)));
  };
  CPPUNIT_ASSERT(answer.stream(reader));
  CPPUNIT_ASSERT_EQUAL(std::string("line\nline\nline\nline\nline\n"), reader.seen);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("news were waited for, not asked for", ground.engine().hasServer(),
                               reader.waits_for_news > 0);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("news that did not come", 0, reader.missed);
}
