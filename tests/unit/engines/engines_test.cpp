#include "host/engines/engines.hpp"

#include <cppunit/extensions/HelperMacros.h>

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
