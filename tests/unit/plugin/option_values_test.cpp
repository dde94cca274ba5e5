#include "ocelot/option_values.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace ocelot;

class OptionValues : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OptionValues);
  CPPUNIT_TEST(durations);
  CPPUNIT_TEST(sizes);
  CPPUNIT_TEST(numbersAndFlags);
  CPPUNIT_TEST(theNearestWordIsOneThatCouldBeMeant);
  CPPUNIT_TEST_SUITE_END();

 public:
  void durations() {
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5400000}, parseDuration("1h30m").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{250}, parseDuration("250ms").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{60250}, parseDuration("1m250ms").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{172800000}, parseDuration("2d").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, parseDuration("0").value());
    for (const char* wrong : {"", "10", "s", "-1s", "1 s", "1s1h", "1s1s", "1.5s", "1x", "10sec",
                              "99999999999999999999s", "9223372036854775807s", "106751991168d106751991168h"})
      CPPUNIT_ASSERT_MESSAGE(wrong, !parseDuration(wrong));
  }
  void sizes() {
    CPPUNIT_ASSERT_EQUAL(std::int64_t{4096}, parseSize("4096").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{64} << 20, parseSize("64MiB").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1} << 30, parseSize("1G").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{3} << 10, parseSize("3KB").value());
    for (const char* wrong : {"", "MiB", "-1", "1 GiB", "1gib", "1PiB", "1.5G", "9223372036854775807K", "1GiBx"})
      CPPUNIT_ASSERT_MESSAGE(wrong, !parseSize(wrong));
  }
  void numbersAndFlags() {
    CPPUNIT_ASSERT_EQUAL(std::int64_t{-7}, parseNumber("-7").value());
    CPPUNIT_ASSERT_EQUAL(std::numeric_limits<std::int64_t>::max(), parseNumber("9223372036854775807").value());
    for (const char* wrong : {"", "-", "+1", "0x10", "1e3", "9223372036854775808", " 1"})
      CPPUNIT_ASSERT_MESSAGE(wrong, !parseNumber(wrong));
    CPPUNIT_ASSERT(parseFlag("true").value() && !parseFlag("false").value());
    for (const char* wrong : {"", "yes", "True", "1"}) CPPUNIT_ASSERT_MESSAGE(wrong, !parseFlag(wrong));
  }
  void theNearestWordIsOneThatCouldBeMeant() {
    const std::vector<std::string> known{"url", "secret", "webhook_secret", "timeout"};
    CPPUNIT_ASSERT_EQUAL(std::string("webhook_secret"), nearest("webhok_secret", known));
    CPPUNIT_ASSERT_EQUAL(std::string("url"), nearest("ulr", known));
    CPPUNIT_ASSERT_EQUAL(std::string("timeout"), nearest("time_out", known));
    CPPUNIT_ASSERT_EQUAL(std::string(), nearest("password", known));
    CPPUNIT_ASSERT_EQUAL(std::string(), nearest(std::string(100000, 'a'), known));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, editDistance("ab", "ba"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, editDistance("kitten", "sitting"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OptionValues);

}  // namespace
