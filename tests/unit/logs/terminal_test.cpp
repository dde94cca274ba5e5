// L1: a terminal shows a log and obeys nothing in it but colours.

#include "host/logs/terminal.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <utility>
#include <vector>

using ocelot::logs::TerminalFilter;
using ocelot::logs::terminalSafe;

namespace {
const std::vector<std::pair<std::string, std::string>> kCases{
    {"plain text\twith tab\n", "plain text\twith tab\n"},
    {"\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m\n"},
    {"\x1b[1;38;5;8;48;2;8;8;8mx\x1b[m", "\x1b[1;38;5;8;48;2;8;8;8mx\x1b[m"},
    {"\x1b[38:2::8:8:8mx\x1b[0m", "\x1b[38:2::8:8:8mx\x1b[0m"},
    {"\x1b[8mhidden\x1b[31;8mhidden", "^[[8mhidden^[[31;8mhidden"},
    {"\x1b[2J\x1b[1;1H\x1b[?25l\x1b[6n\x1b[3A", "^[[2J^[[1;1H^[[?25l^[[6n^[[3A"},
    {"\x1b]0;title\x07\x1b]52;c;ZWNobyBQV04=\x1b\\", "^[]0;title^G^[]52;c;ZWNobyBQV04=^[\\"},
    {"\x1bP+q\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1b(0\x1b"
     "c",
     "^[P+q^[\\^[_apc^[\\^[^pm^[\\^[(0^[c"},
    {"\x9b"
     "31m\xc2\x9b"
     "2J",
     "M-^[31m<U+009B>2J"},
    {"50%\r100%\n", "50%^M\n100%\n"},
    {"dos\r\nlines\r\r\n", "dos\nlines\n"},
    {"end\r", "end^M\n"},
    {"a\b\b\x7f\x07\x0b\x0c\x0e", "a^H^H^?^G^K^L^N"},
    {"\xe2\x80\xaeltr\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf", "<U+202E>ltr<U+2066><U+200B><U+FEFF>"},
    {"\xf3\xa0\x81\x81 tag", "<U+0E0041> tag"},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xff\xc0\x80\xed\xa0\x80\xe2\x82", "M-^?M-@M-^@M-mM- M-^@M-bM-^B"},
    {"\x1b[31mleft on", "\x1b[31mleft on\x1b[0m"},
    {"\x1b", "^["},
    {"\x1b[12;", "^[[12;"},
    {"\x1b[\x1b[31mx\x1b[0m", "^[[\x1b[31mx\x1b[0m"},
    {std::string("nul\0nul", 7), "nul^@nul"},
};
}  // namespace

class TerminalTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TerminalTest);
  CPPUNIT_TEST(everythingButColoursIsShown);
  CPPUNIT_TEST(everyCutGivesTheSame);
  CPPUNIT_TEST(withoutColoursNothingOfThemIsLeft);
  CPPUNIT_TEST(aMillionUnfinishedSequencesAreShown);
  CPPUNIT_TEST(aSequenceWithoutEndIsNotHeldBackForEver);
  CPPUNIT_TEST_SUITE_END();

 public:
  void everythingButColoursIsShown() {
    for (const auto& [in, out] : kCases) CPPUNIT_ASSERT_EQUAL(out, terminalSafe(in, true));
  }

  void everyCutGivesTheSame() {
    for (const auto& [in, whole] : kCases) {
      for (std::size_t cut = 0; cut <= in.size(); ++cut) {
        TerminalFilter filter;
        std::string out;
        filter.feed(in.substr(0, cut), out);
        filter.feed(in.substr(cut), out);
        filter.flush(out);
        CPPUNIT_ASSERT_EQUAL(whole, out);
      }
      TerminalFilter filter;
      std::string out;
      for (const char c : in) filter.feed(std::string(1, c), out);
      filter.flush(out);
      CPPUNIT_ASSERT_EQUAL(whole, out);
    }
  }

  void withoutColoursNothingOfThemIsLeft() {
    CPPUNIT_ASSERT_EQUAL(std::string("red ^[[2J"), terminalSafe("\x1b[1;31mred\x1b[0m \x1b[2J", false));
  }

  void aMillionUnfinishedSequencesAreShown() {
    std::string in, expected;
    for (int i = 0; i < 1000000; ++i) {
      in += "\x1b[";
      expected += "^[[";
    }
    CPPUNIT_ASSERT(expected == terminalSafe(in, true));
  }

  void aSequenceWithoutEndIsNotHeldBackForEver() {
    TerminalFilter filter;
    std::string out;
    filter.feed("\x1b[" + std::string(100, '1'), out);
    CPPUNIT_ASSERT_EQUAL("^[[" + std::string(100, '1'), out);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TerminalTest);
