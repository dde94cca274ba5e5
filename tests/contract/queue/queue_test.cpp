#include "host/queue/queue.hpp"

#include <thread>

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<queue::Queue> openQueue(Ground& ground) { return queue::openStoreQueue(ground.engine().settings()); }

// How long a wait() took.
std::chrono::milliseconds timed(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

CONTRACT(aTopicIsNamedForItsTag) {
  CPPUNIT_ASSERT_EQUAL(std::string("build"), queue::topicFor(""));
  CPPUNIT_ASSERT_EQUAL(std::string("build_gpu"), queue::topicFor("gpu"));
}

CONTRACT(whatWasPublishedBetweenTwoWaitsIsNotLost) {
  const auto worker = openQueue(ground);
  const auto admin = openQueue(ground);
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
  CPPUNIT_ASSERT_MESSAGE("a wake-up wakes once", !worker->wait({"build"}, 0ms));
}

CONTRACT(whoPublishesAndWaitsInOneIsWokenToo) {
  const auto one = openQueue(ground);
  one->publish("build");
  CPPUNIT_ASSERT(one->wait({"build"}, 10s));
}

CONTRACT(aWaitEndsWhenSomebodyPublishes) {
  const auto worker = openQueue(ground);
  const auto admin = openQueue(ground);
  CPPUNIT_ASSERT(!worker->wait({"build"}, 1ms));
  bool woken = false;
  std::thread waiting([&] { woken = worker->wait({"build", "build_gpu"}, 30s); });
  admin->publish("build_gpu");
  const auto took = timed([&] { waiting.join(); });
  CPPUNIT_ASSERT(woken);
  CPPUNIT_ASSERT(took < 10s);
}

CONTRACT(everyWaiterIsWoken) {
  const auto first = openQueue(ground);
  const auto second = openQueue(ground);
  openQueue(ground)->publish("build");
  CPPUNIT_ASSERT(first->wait({"build"}, 10s));
  CPPUNIT_ASSERT(second->wait({"build"}, 10s));
}

CONTRACT(otherTopicsDoNotWakeAndAreKept) {
  const auto worker = openQueue(ground);
  const auto admin = openQueue(ground);
  admin->publish("build_arm");
  CPPUNIT_ASSERT(!worker->wait({"build", "build_gpu"}, 20ms));
  CPPUNIT_ASSERT(worker->wait({"build_arm"}, 10s));
}

CONTRACT(aWaitEndsWithItsTime) {
  const auto worker = openQueue(ground);
  const auto took = timed([&] { CPPUNIT_ASSERT(!worker->wait({"build"}, 30ms)); });
  CPPUNIT_ASSERT(took >= 30ms);
}

CONTRACT(wakeUpEndsAWaitFromAnotherThread) {
  const auto worker = openQueue(ground);
  std::thread waiting([&] { worker->wait({"build"}, 30s); });
  worker->wakeUp();
  CPPUNIT_ASSERT(timed([&] { waiting.join(); }) < 10s);
  CPPUNIT_ASSERT(!worker->wait({"build"}, 0ms));
  worker->wakeUp();
  CPPUNIT_ASSERT_MESSAGE("also the next one", timed([&] { worker->wait({"build"}, 30s); }) < 10s);
}

CONTRACT(aThousandTopicsInARowLoseNone) {
  const auto worker = openQueue(ground);
  const auto admin = openQueue(ground);
  for (int i = 0; i < 1000; ++i) admin->publish("build_" + std::to_string(i));
  for (int i = 0; i < 1000; ++i) CPPUNIT_ASSERT(worker->wait({"build_" + std::to_string(i)}, 10s));
}

CONTRACT(aTopicThatIsNoNameIsRefused) {
  const auto queue = openQueue(ground);
  for (const std::string& bad : {std::string(""), std::string("bad topic"), std::string("../lock"), std::string("a/b"),
                                 std::string(".."), std::string(65, 'x'), std::string("a\0b", 3), std::string("a'b")})
    CPPUNIT_ASSERT_THROW_MESSAGE(bad, queue->publish(bad), std::invalid_argument);
  queue->publish(std::string(64, 'x'));
}

CONTRACT(theQueueComesBackAfterARestartOfItsServer) {
  const auto worker = openQueue(ground);
  const auto admin = openQueue(ground);
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
  ground.engine().restart();
  if (ground.engine().hasServer())
    CPPUNIT_ASSERT_MESSAGE("a loss may have swallowed anything, so it wakes", worker->wait({"build"}, 10s));
  admin->publish("build");
  CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
}
