// What is remembered of commits, and for how long.

#include "plugins/vcs/git/kept.hpp"

#include <cppunit/extensions/HelperMacros.h>

using ocelot::vcs_git::Kept;

class KeptTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KeptTest);
  CPPUNIT_TEST(whatWasAskedLongestAgoIsForgotten);
  CPPUNIT_TEST(oneLargeAnswerDoesNotDriveOutTheOthers);
  CPPUNIT_TEST_SUITE_END();

 public:
  void whatWasAskedLongestAgoIsForgotten() {
    Kept<std::string> kept(10000);
    for (int i = 0; i < 100; ++i) {
      kept.put(std::to_string(i), "answer " + std::to_string(i), 1000);
      CPPUNIT_ASSERT_MESSAGE("asked all the time", kept.find("0") != nullptr);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("answer 0"), *kept.find("0"));
    CPPUNIT_ASSERT_EQUAL(std::string("answer 99"), *kept.find("99"));
    int left = 0;
    for (int i = 0; i < 100; ++i) left += kept.find(std::to_string(i)) != nullptr ? 1 : 0;
    CPPUNIT_ASSERT_MESSAGE(std::to_string(left), left >= 7 && left <= 10);
    CPPUNIT_ASSERT(kept.find("1") == nullptr);
  }

  void oneLargeAnswerDoesNotDriveOutTheOthers() {
    Kept<std::string> kept(10000);
    kept.put("small", "s", 1);
    kept.put("large", "l", 5000);
    CPPUNIT_ASSERT(kept.find("large") == nullptr);
    CPPUNIT_ASSERT(kept.find("small") != nullptr);
    kept.put("small", "other", 1);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the first answer stays", std::string("s"), *kept.find("small"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(KeptTest);
