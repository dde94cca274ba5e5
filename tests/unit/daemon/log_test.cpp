#include "host/daemon/log.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>

using namespace ocelot::daemon;
using ocelot::LogLevel;

namespace {

// What `write` logs, without the time at the front of a text line.
std::string logged(LogFormat format, LogLevel least, const std::function<void()>& write) {
  int ends[2];
  CPPUNIT_ASSERT_EQUAL(0, ::pipe(ends));
  setUpLog("ocelot-test", format, least, ends[1]);
  write();
  setUpLog("ocelot-test", LogFormat::text, LogLevel::info, 2);
  ::close(ends[1]);
  char buffer[4096];
  const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
  ::close(ends[0]);
  std::string text(buffer, static_cast<std::size_t>(got > 0 ? got : 0));
  if (format == LogFormat::text && !text.empty()) text.erase(0, text.find(' ') + 1);
  return text;
}

}  // namespace

class LogTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LogTest);
  CPPUNIT_TEST(textLinesReadWell);
  CPPUNIT_TEST(jsonLinesAreJson);
  CPPUNIT_TEST(nothingBeginsALineOfItsOwn);
  CPPUNIT_TEST(levelsHoldBack);
  CPPUNIT_TEST_SUITE_END();

 public:
  void textLinesReadWell() {
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot-test info: build claimed build=7 why=\"two words\" none=\"\"\n"),
                         logged(LogFormat::text, LogLevel::info, [] {
                           log(LogLevel::info, "build claimed", {{"build", "7"}, {"why", "two words"}, {"none", ""}});
                         }));
  }
  void jsonLinesAreJson() {
    const std::string line = logged(LogFormat::json, LogLevel::info, [] {
      log(LogLevel::error, "a \"quote\"\nand a line", {{"branch", "\xff\x1b[31m"}});
    });
    CPPUNIT_ASSERT_EQUAL(std::string("{\"time\":\"20"), line.substr(0, 11));
    CPPUNIT_ASSERT_EQUAL(
        std::string("\"level\":\"error\",\"daemon\":\"ocelot-test\",\"message\":\"a \\\"quote\\\"\\nand a line\","
                    "\"branch\":\"\xEF\xBF\xBD\\u001b[31m\"}\n"),
        line.substr(line.find("\"level\"")));
  }
  void nothingBeginsALineOfItsOwn() {
    const std::string line = logged(LogFormat::text, LogLevel::info, [] {
      log(LogLevel::info, "a\nocelot-test error: forged\r\x1b[2J", {{"x\ny", "1\n2"}});
    });
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot-test info: a\\nocelot-test error: forged\\x0d\\x1b[2J x\\ny=1\\n2\n"),
                         line);
  }
  void levelsHoldBack() {
    CPPUNIT_ASSERT_EQUAL(std::string(),
                         logged(LogFormat::text, LogLevel::warning, [] { log(LogLevel::info, "quiet"); }));
    CPPUNIT_ASSERT(!logged(LogFormat::text, LogLevel::debug, [] { log(LogLevel::debug, "loud"); }).empty());
    CPPUNIT_ASSERT(LogLevel::warning == logLevelFrom("warning"));
    CPPUNIT_ASSERT_THROW(logLevelFrom("loud"), std::invalid_argument);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LogTest);
