#include "host/http/json.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <limits>

using namespace ocelot::http;

class JsonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JsonTest);
  CPPUNIT_TEST(nestedValuesAreSeparated);
  CPPUNIT_TEST(anyBytesBecomeValidText);
  CPPUNIT_TEST_SUITE_END();

 public:
  void nestedValuesAreSeparated() {
    JsonWriter writer;
    writer.object().field("a", 1).key("list").array().value("x").value(true).null().object().end().end();
    writer.field("n", std::numeric_limits<std::int64_t>::min()).key("raw").raw("[1,2]").end();
    CPPUNIT_ASSERT_EQUAL(
        std::string("{\"a\":1,\"list\":[\"x\",true,null,{}],\"n\":-9223372036854775808,\"raw\":[1,2]}"), writer.text());
  }

  void anyBytesBecomeValidText() {
    const std::string replacement = "\xEF\xBF\xBD";
    const std::pair<std::string, std::string> cases[] = {
        {"a\"b\\c", "a\\\"b\\\\c"},
        {"\n\r\t", "\\n\\r\\t"},
        {std::string("\0\x1b\x7f", 3), "\\u0000\\u001b\\u007f"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff", replacement},
        {"\xc3", replacement},
        {"\xc0\xaf", replacement + replacement},                    // overlong /
        {"\xed\xa0\x80", replacement + replacement + replacement},  // a surrogate
        {"\xf4\x90\x80\x80", replacement + replacement + replacement + replacement},
        {"<script>", "<script>"},
    };
    for (const auto& [text, json] : cases) CPPUNIT_ASSERT_EQUAL("\"" + json + "\"", quoted(text));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(JsonTest);
