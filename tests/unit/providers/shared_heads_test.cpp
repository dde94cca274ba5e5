// Many that ask for the heads of a repository at once.

#include "host/providers/shared_heads.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <thread>

#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using ocelot::providers::SharedHeads;
using ocelot::test::waitUntil;

class SharedHeadsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SharedHeadsTest);
  CPPUNIT_TEST(everyQuestionThatComesAloneIsALook);
  CPPUNIT_TEST(whoComesDuringALookSharesTheNext);
  CPPUNIT_TEST(aFailureIsEverybodysAndTheNextLookBeginsAnew);
  CPPUNIT_TEST(whoWaitsTooLongGoesAndHoldsUpNobody);
  CPPUNIT_TEST(manyLooksAtOnceAreNeverStale);
  CPPUNIT_TEST_SUITE_END();

  // A look that is let go by the test, and says how many there were.
  struct Gate {
    std::vector<Head> look() {
      std::unique_lock lock(mutex);
      const int mine = ++begun;
      changed.notify_all();
      changed.wait(lock, [&] { return open >= mine; });
      if (failing) throw Error(Status::unavailable, "it is away");
      return {{"main", std::to_string(mine)}};
    }
    void let(int looks) {
      const std::lock_guard guard(mutex);
      open = looks;
      changed.notify_all();
    }
    int looks() {
      const std::lock_guard guard(mutex);
      return begun;
    }
    std::mutex mutex;
    std::condition_variable changed;
    int begun = 0, open = 0;
    bool failing = false;
  };

  SharedHeads shared_;
  Gate gate_;
  std::mutex mutex_;
  std::vector<std::string> answers_;

  std::string ask(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    SimpleCall call(patience);
    try {
      return shared_.of(call, "a", [&] { return gate_.look(); }).at(0).commit;
    } catch (const Error& error) {
      return error.what();
    }
  }
  std::thread asking() {
    return std::thread([this] {
      const std::string answer = ask();
      const std::lock_guard guard(mutex_);
      answers_.push_back(answer);
    });
  }
  // One that looks and five that wait for the next.
  std::vector<std::thread> six() {
    std::vector<std::thread> threads;
    threads.push_back(asking());
    waitUntil("the look has begun", [&] { return gate_.looks() == 1; });
    for (int i = 0; i < 5; ++i) threads.push_back(asking());
    waitUntil("five wait", [&] { return shared_.waiting("a") == 5; });
    return threads;
  }

 public:
  void everyQuestionThatComesAloneIsALook() {
    gate_.let(100);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), ask());
    CPPUNIT_ASSERT_EQUAL(std::string("2"), ask());
  }

  void whoComesDuringALookSharesTheNext() {
    auto threads = six();
    gate_.let(1);
    waitUntil("the next has begun", [&] { return gate_.looks() == 2; });
    SimpleCall call;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("of another repository", std::string("x"),
                                 shared_.of(call, "b",
                                            [] {
                                              return std::vector<Head>{{"main", "x"}};
                                            })
                                     .at(0)
                                     .commit);
    gate_.let(2);
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(2, gate_.looks());
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::count(answers_.begin(), answers_.end(), "1"));
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{5}, std::count(answers_.begin(), answers_.end(), "2"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, shared_.waiting("a"));
  }

  void aFailureIsEverybodysAndTheNextLookBeginsAnew() {
    auto threads = six();
    gate_.failing = true;
    gate_.let(2);
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{6}, std::count(answers_.begin(), answers_.end(), "it is away"));
    gate_.failing = false;
    gate_.let(3);
    CPPUNIT_ASSERT_EQUAL(std::string("3"), ask());
  }

  void whoWaitsTooLongGoesAndHoldsUpNobody() {
    auto first = asking();
    waitUntil("the look has begun", [&] { return gate_.looks() == 1; });
    const std::string why = ask(std::chrono::milliseconds(1));
    CPPUNIT_ASSERT_EQUAL(std::string("deadline passed while waiting for the heads of a"), why);
    gate_.let(2);
    first.join();
    CPPUNIT_ASSERT_EQUAL(std::string("2"), ask());
  }

  void manyLooksAtOnceAreNeverStale() {
    std::atomic<int> pushed{0}, looks{0};
    std::atomic<bool> stale{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 500; ++n) {
          const int before = ++pushed;
          SimpleCall call(std::chrono::seconds(60));
          const auto heads = shared_.of(call, "a", [&] {
            ++looks;
            const std::string now = std::to_string(pushed.load());
            std::this_thread::yield();
            return std::vector<Head>{{"main", now}};
          });
          if (std::stoi(heads.at(0).commit) < before) stale = true;
        }
      });
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT(!stale);
    CPPUNIT_ASSERT(looks <= 4000);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SharedHeadsTest);

}  // namespace
