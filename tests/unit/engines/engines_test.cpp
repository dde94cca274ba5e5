#include "host/engines/engines.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <thread>

#include "host/engines/explain.hpp"
#include "ocelot/call.hpp"
#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

class EnginesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EnginesTest);
  CPPUNIT_TEST(openingAgainFindsWhatWasThere);
  CPPUNIT_TEST(manyThatNeedAKeyGetTheSame);
  CPPUNIT_TEST(aMakerThatDiedHoldsNobodyUp);
  CPPUNIT_TEST(secretsOfTheConfigurationHaveAPlaceOfTheirOwn);
  CPPUNIT_TEST(enginesThatAreAwayAreExplained);
  CPPUNIT_TEST_SUITE_END();

 public:
  void openingAgainFindsWhatWasThere() {
    Scene scene;
    scene.queued();
    scene.engines.secrets->put("system/a", "x");
    scene.engines = engines::Engines{};
    scene.engines = engines::open(scene.config);
    CPPUNIT_ASSERT(scene.store().findBuild("1").has_value());
    CPPUNIT_ASSERT(scene.engines.secrets->find("system/a") == "x");
  }

  void manyThatNeedAKeyGetTheSame() {
    Scene scene;
    std::vector<std::string> keys(6);
    std::vector<std::thread> threads;
    for (auto& key : keys)
      threads.emplace_back([&] {
        auto own = engines::open(scene.config);
        key = engines::sharedKey(own, "system/key");
      });
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, std::set<std::string>(keys.begin(), keys.end()).size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{32}, keys[0].size());
    CPPUNIT_ASSERT(engines::sharedKey(scene.engines, "system/other") != keys[0]);
  }

  // As a daemon does that is killed while it makes the key: it has taken whatever it takes, and put nothing there.
  void aMakerThatDiedHoldsNobodyUp() {
    Scene scene;
    auto others = engines::open(scene.config);
    const pid_t maker = ::fork();
    if (maker == 0) {
      struct Dying final : secrets::Secrets {
        std::optional<std::string> find(const std::string&) override { return std::nullopt; }
        void put(const std::string&, const std::string&) override { ::_exit(9); }
        bool add(const std::string&, const std::string&) override { ::_exit(9); }
        bool remove(const std::string&) override { return false; }
        std::vector<std::string> names(const std::string&) override { return {}; }
        std::string whyAway() override { return ""; }
      };
      auto own = engines::open(scene.config);
      own.secrets = std::make_unique<Dying>();
      engines::sharedKey(own, "system/key");
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(maker, &status, 0);
    CPPUNIT_ASSERT_EQUAL(9, WEXITSTATUS(status));
    const auto before = std::chrono::steady_clock::now();
    const std::string key = engines::sharedKey(others, "system/key");
    CPPUNIT_ASSERT_EQUAL(std::size_t{32}, key.size());
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    CPPUNIT_ASSERT(engines::sharedKey(scene.engines, "system/key") == key);
  }

  void secretsOfTheConfigurationHaveAPlaceOfTheirOwn() {
    Scene scene;
    scene.engines.secrets->put("system/slack", "x");
    scene.engines.secrets->put("repo/1/slack", "y");
    const auto resolve = engines::resolverOf(*scene.engines.secrets);
    CPPUNIT_ASSERT(resolve("slack") == "x");
    CPPUNIT_ASSERT_THROW(resolve("../repo/1/slack"), std::exception);
    CPPUNIT_ASSERT(!resolve("nothing"));
  }

  void enginesThatAreAwayAreExplained() {
    const auto is = [](const std::exception& error, int status, const std::string& code, bool retry) {
      const auto answer = engines::explain(error);
      CPPUNIT_ASSERT(answer.has_value());
      CPPUNIT_ASSERT_EQUAL(status, answer->status);
      CPPUNIT_ASSERT_MESSAGE(answer->body, answer->body.find("\"" + code + "\"") != std::string::npos);
      CPPUNIT_ASSERT_EQUAL(retry, !answer->headers.empty() && answer->headers[0].first == "Retry-After");
    };
    is(store::Unavailable("use x: gone"), 503, "store_away", true);
    is(secrets::Unavailable("sealed"), 503, "secrets_away", true);
    is(secrets::Refused("403 permission denied"), 502, "secrets_refused", false);
    is(store::Conflict("the name is taken"), 409, "conflict", false);
    CPPUNIT_ASSERT(!engines::explain(std::runtime_error("a fault")));
    CPPUNIT_ASSERT(!engines::explain(Error(Status::invalid, "no")));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(EnginesTest);

}  // namespace
