#include "host/daemon/health.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

using namespace ocelot::daemon;

class HealthTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HealthTest);
  CPPUNIT_TEST(whatIsDownIsNamed);
  CPPUNIT_TEST(aWarningIsToldAndKeepsFromNothing);
  CPPUNIT_TEST(checksAreAskedAtMostOnceASecond);
  CPPUNIT_TEST_SUITE_END();

 public:
  void whatIsDownIsNamed() {
    Health health;
    CPPUNIT_ASSERT(health.ready());
    health.add("store", [] { return std::string(); });
    CPPUNIT_ASSERT(health.ready());
    health.add("vault", []() -> std::string { throw std::runtime_error("sealed"); });
    health.set("runtime", "no crun");
    const auto items = health.look();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, items.size());
    CPPUNIT_ASSERT_EQUAL(std::string("no crun"), items[0].why_not);
    CPPUNIT_ASSERT_EQUAL(std::string(), items[1].why_not);
    CPPUNIT_ASSERT_EQUAL(std::string("sealed"), items[2].why_not);
    CPPUNIT_ASSERT(!health.ready());
  }
  void aWarningIsToldAndKeepsFromNothing() {
    Health health;
    health.add("queue", [] { return std::string(); });
    health.addWarning("queue", [] { return std::string("nsqd2 is away"); });
    const auto items = health.look();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, items.size());
    CPPUNIT_ASSERT_EQUAL(std::string("queue"), items[1].name);
    CPPUNIT_ASSERT_EQUAL(std::string("nsqd2 is away"), items[1].why_not);
    CPPUNIT_ASSERT(items[1].warning && !items[0].warning);
    CPPUNIT_ASSERT(health.ready());
  }
  void checksAreAskedAtMostOnceASecond() {
    Health health;
    int asked = 0;
    health.add("store", [&] {
      ++asked;
      return std::string("down");
    });
    for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT(!health.ready());
    CPPUNIT_ASSERT(asked < 50);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HealthTest);
