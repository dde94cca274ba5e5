#include "host/queue/queue.hpp"

#include <thread>

#include "tests/contract/queue/bench.hpp"

using namespace ocelot;
using namespace ocelot::test;
using namespace std::chrono_literals;

namespace {

// How long a wait() took.
std::chrono::milliseconds timed(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

QUEUE_CONTRACT(aTopicIsNamedForItsTag) {
  CPPUNIT_ASSERT_EQUAL(std::string("build"), queue::topicFor(""));
  CPPUNIT_ASSERT_EQUAL(std::string("build_gpu"), queue::topicFor("gpu"));
}

QUEUE_CONTRACT(whatWasPublishedBetweenTwoWaitsIsNotLost) {
  const auto worker = bench.open();
  const auto admin = bench.open();
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
  CPPUNIT_ASSERT_MESSAGE("a wake-up wakes once", !worker->wait({"build"}, 0ms));
}

QUEUE_CONTRACT(whoPublishesAndWaitsInOneIsWokenToo) {
  const auto one = bench.open();
  one->publish("build");
  CPPUNIT_ASSERT(one->wait({"build"}, 10s));
}

QUEUE_CONTRACT(aWaitEndsWhenSomebodyPublishes) {
  const auto worker = bench.open();
  const auto admin = bench.open();
  CPPUNIT_ASSERT(!worker->wait({"build"}, 1ms));
  bool woken = false;
  std::thread waiting([&] { woken = worker->wait({"build", "build_gpu"}, 30s); });
  admin->publish("build_gpu");
  const auto took = timed([&] { waiting.join(); });
  CPPUNIT_ASSERT(woken);
  CPPUNIT_ASSERT(took < 10s);
}

QUEUE_CONTRACT(everyWaiterIsWokenOrOneOfThem) {
  const auto first = bench.open();
  const auto second = bench.open();
  bench.open()->publish("build");
  CPPUNIT_ASSERT(first->wait({"build"}, 10s));
  if (bench.wakesEverybody()) CPPUNIT_ASSERT(second->wait({"build"}, 10s));
}

QUEUE_CONTRACT(whoHasNoFreePlaceLeavesTheWakeUpToAnother) {
  const auto full = bench.open();
  const auto idle = bench.open();
  bench.open()->publish("build");
  CPPUNIT_ASSERT(full->wait({"build"}, 10s));
  CPPUNIT_ASSERT_MESSAGE("it listens for nothing", !full->wait({}, 0ms));
  CPPUNIT_ASSERT(idle->wait({"build"}, 10s));
}

QUEUE_CONTRACT(whoDiesBeforeItHasLookedLeavesTheWakeUpToAnother) {
  auto dying = bench.open();
  const auto idle = bench.open();
  bench.open()->publish("build");
  CPPUNIT_ASSERT(dying->wait({"build"}, 10s));
  dying.reset();
  CPPUNIT_ASSERT(idle->wait({"build"}, 30s));
}

QUEUE_CONTRACT(asManyAreWokenAsThereAreBuilds) {
  std::vector<std::unique_ptr<queue::Queue>> workers;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(bench.open());
    workers.back()->wait({"build"}, 0ms);
  }
  bench.open()->publish("build", 3);
  // Each looks, has no place left after that, and so passes on what else it was told.
  for (const auto& worker : workers) {
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    worker->wait({}, 0ms);
  }
}

QUEUE_CONTRACT(otherTopicsDoNotWakeAndAreKept) {
  const auto worker = bench.open();
  const auto admin = bench.open();
  admin->publish("build_arm");
  CPPUNIT_ASSERT(!worker->wait({"build", "build_gpu"}, 20ms));
  CPPUNIT_ASSERT(worker->wait({"build_arm"}, 10s));
}

QUEUE_CONTRACT(aWaitEndsWithItsTime) {
  const auto worker = bench.open();
  const auto took = timed([&] { CPPUNIT_ASSERT(!worker->wait({"build"}, 30ms)); });
  CPPUNIT_ASSERT(took >= 30ms);
}

QUEUE_CONTRACT(wakeUpEndsAWaitFromAnotherThread) {
  const auto worker = bench.open();
  std::thread waiting([&] { worker->wait({"build"}, 30s); });
  worker->wakeUp();
  CPPUNIT_ASSERT(timed([&] { waiting.join(); }) < 10s);
  CPPUNIT_ASSERT(!worker->wait({"build"}, 0ms));
  worker->wakeUp();
  CPPUNIT_ASSERT_MESSAGE("also the next one", timed([&] { worker->wait({"build"}, 30s); }) < 10s);
}

QUEUE_CONTRACT(aThousandTopicsInARowLoseNone) {
  const auto worker = bench.open();
  const auto admin = bench.open();
  for (int i = 0; i < 1000; ++i) admin->publish("build_" + std::to_string(i));
  for (int i = 0; i < 1000; ++i) CPPUNIT_ASSERT(worker->wait({"build_" + std::to_string(i)}, 10s));
}

QUEUE_CONTRACT(aTopicThatIsNoNameIsRefused) {
  const auto queue = bench.open();
  for (const std::string& bad : {std::string(""), std::string("bad topic"), std::string("../lock"), std::string("a/b"),
                                 std::string(".."), std::string(65, 'x'), std::string("a\0b", 3), std::string("a'b")})
    CPPUNIT_ASSERT_THROW_MESSAGE(bad, queue->publish(bad), std::invalid_argument);
  queue->publish(std::string(64, 'x'));
}

QUEUE_CONTRACT(theQueueComesBackAfterARestartOfItsServer) {
  const auto worker = bench.open();
  const auto admin = bench.open();
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
  bench.restart();
  if (bench.hasServer())
    CPPUNIT_ASSERT_MESSAGE("a loss may have swallowed anything, so it wakes", worker->wait({"build"}, 10s));
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
}
