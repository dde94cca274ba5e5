#include "plugins/runtime/oci/tool.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace ocelot::oci::test {

class ToolTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ToolTest);
  CPPUNIT_TEST(whatWasSaidIsOneLine);
  CPPUNIT_TEST(ofALogLineTheMessageIsTold);
  CPPUNIT_TEST_SUITE_END();

 public:
  void whatWasSaidIsOneLine() {
    CPPUNIT_ASSERT_EQUAL(std::string("one two"), lastWords({1, "not this", "one\ntwo\n \n"}));
    CPPUNIT_ASSERT_EQUAL(std::string("on stdout"), lastWords({1, "on stdout\n", ""}));
    CPPUNIT_ASSERT_EQUAL(std::string("exit status 7"), lastWords({7, "", ""}));
    CPPUNIT_ASSERT_EQUAL(std::string("a?[31mb"), lastWords({1, "", "a\x1b[31mb"}));
    CPPUNIT_ASSERT_EQUAL(std::size_t{600}, lastWords({1, "", std::string(5000, 'x')}).size());
  }

  void ofALogLineTheMessageIsTold() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("reading \"docker://a/b\": no such host"),
        lastWords(
            {1, "", "time=\"2026-01-02T03:04:05Z\" level=fatal msg=\"reading \\\"docker://a/b\\\": no such host\"\n"}));
    CPPUNIT_ASSERT_EQUAL(std::string("first the end"),
                         lastWords({1, "", "time=\"t\" level=warning msg=\"first\"\nthe end"}));
    CPPUNIT_ASSERT_EQUAL(std::string("two lines"), lastWords({1, "", R"(time="t" level=error msg="two\nlines")"}));
    CPPUNIT_ASSERT_EQUAL(std::string("cut off\\"), lastWords({1, "", R"(time="t" level=error msg="cut off\)"}));
    CPPUNIT_ASSERT_EQUAL(std::string("time=\"t\" level=error"), lastWords({1, "", "time=\"t\" level=error"}));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ToolTest);

}  // namespace ocelot::oci::test
