// What people see.

#include "components/cli/terminal.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <chrono>

using namespace ocelot::cli;

class TerminalTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TerminalTest);
  CPPUNIT_TEST(columnsAreAsWideAsTheirWidestCell);
  CPPUNIT_TEST(umlautsAndColoursDoNotMoveColumns);
  CPPUNIT_TEST(textFromOutsideCannotSteerATerminal);
  CPPUNIT_TEST(durationsAreSpoken);
  CPPUNIT_TEST(aPipeGetsNoColours);
  CPPUNIT_TEST_SUITE_END();

 public:
  void columnsAreAsWideAsTheirWidestCell() {
    CPPUNIT_ASSERT_EQUAL(std::string("A    B\nlong  c\n").size() + 1, table({{"A", "B"}, {"long", "c"}}).size());
    CPPUNIT_ASSERT_EQUAL(std::string("A     B\nlong  c\n"), table({{"A", "B"}, {"long", "c"}}));
    CPPUNIT_ASSERT_EQUAL(std::string(), table({}));
  }

  void umlautsAndColoursDoNotMoveColumns() {
    CPPUNIT_ASSERT_EQUAL(std::string("ä  x\nb  y\n"), table({{"ä", "x"}, {"b", "y"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("\x1b[31mred\x1b[0m  x\nblu  y\n"),
                         table({{"\x1b[31mred\x1b[0m", "x"}, {"blu", "y"}}));
  }

  void textFromOutsideCannotSteerATerminal() {
    CPPUNIT_ASSERT_EQUAL(std::string("a^[[2Jb c^?d"), plain("a\x1b[2Jb\nc\x7f"
                                                            "d"));
    for (const char* trick : {"\u202e", "\u2066", "\u200f", "\u0085"})
      CPPUNIT_ASSERT_MESSAGE("a bidirectional or C1 control", plain(trick).find(trick) == std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("grün ✓"), plain("grün ✓"));
    CPPUNIT_ASSERT_MESSAGE("a byte that is no UTF-8", plain("a\x9b"
                                                            "b")
                                                              .find('\x9b') == std::string::npos);
  }

  void durationsAreSpoken() {
    CPPUNIT_ASSERT_EQUAL(std::string("1.3 s"), duration(1300000));
    CPPUNIT_ASSERT_EQUAL(std::string("2 min 5 s"), duration(125000000));
    CPPUNIT_ASSERT_EQUAL(std::string("1 h 2 min"), duration(3720000000));
    CPPUNIT_ASSERT_EQUAL(std::string(""), ago(0));
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    CPPUNIT_ASSERT_EQUAL(std::string("3 h ago"), ago(now - 3 * 3600 * 1000000LL));
    CPPUNIT_ASSERT_EQUAL(std::string("never"), until(0));
    CPPUNIT_ASSERT_EQUAL(std::string("over"), until(now - 1));
    CPPUNIT_ASSERT_EQUAL(std::string("in 3 h"), until(now + (3 * 3600 + 60) * 1000000LL));
    CPPUNIT_ASSERT_EQUAL(std::size_t{10}, until(now + 90 * 86400 * 1000000LL).size());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a clock that is ahead", std::string("0 s ago"), ago(now + 60 * 1000000LL));
  }

  void aPipeGetsNoColours() { CPPUNIT_ASSERT_EQUAL(std::string("x"), paint("x", Colour::red, 100)); }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TerminalTest);
