#include "host/pipeline/directive.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace ocelot;
using namespace ocelot::pipeline;

bool holds(const std::string& text, const Change& change) {
  DirectiveFault fault;
  std::size_t cost = 0;
  const auto directive = parseDirective(text, fault, cost);
  CPPUNIT_ASSERT_MESSAGE(text + ": " + fault.message, directive.has_value());
  return directive->holds(change);
}

// "column: message; hint"
std::string faultOf(const std::string& text) {
  DirectiveFault fault;
  std::size_t cost = 0;
  CPPUNIT_ASSERT_MESSAGE(text + " was accepted", !parseDirective(text, fault, cost));
  return std::to_string(fault.column) + ": " + fault.message + (fault.hint.empty() ? "" : "; " + fault.hint);
}

class DirectiveTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DirectiveTest);
  CPPUNIT_TEST(a_branch_matches_as_a_whole);
  CPPUNIT_TEST(a_file_path_contains_the_text);
  CPPUNIT_TEST(unknown_files_fire);
  CPPUNIT_TEST(a_text_is_in_any_message);
  CPPUNIT_TEST(and_binds_tighter_than_or);
  CPPUNIT_TEST(double_ampersand_binds_tighter_than_double_bar);
  CPPUNIT_TEST(nothing_before_a_change_of_connective_is_dropped);
  CPPUNIT_TEST(values_beside_each_other_mean_or);
  CPPUNIT_TEST(spaces_and_case_do_not_matter);
  CPPUNIT_TEST(quotes_hold_anything);
  CPPUNIT_TEST(every_mistake_has_its_column);
  CPPUNIT_TEST(too_much_is_refused);
  CPPUNIT_TEST(no_line_of_a_few_tokens_crashes);
  CPPUNIT_TEST_SUITE_END();

  Change change_;

 public:
  void setUp() override {
    change_ = Change{};
    change_.branch = "main";
    change_.message = "fix the lexer";
    change_.messages = {"fix the lexer", "release and \"deploy\" [go]"};
    change_.files = {"src/lexer.cpp", "doc/a||b.md"};
  }

  void a_branch_matches_as_a_whole() {
    CPPUNIT_ASSERT(holds("\\branch main", change_));
    CPPUNIT_ASSERT(holds("\\branch release-.*||ma.n", change_));
    CPPUNIT_ASSERT(holds("\\branch ALL", change_));
    CPPUNIT_ASSERT(!holds("\\branch mai", change_));
    CPPUNIT_ASSERT(!holds("\\branch x|mai", change_));
  }

  void a_file_path_contains_the_text() {
    CPPUNIT_ASSERT(holds("\\filepath src/", change_));
    CPPUNIT_ASSERT(holds("\\filepath lexer&&doc", change_));
    CPPUNIT_ASSERT(!holds("\\filepath lexer&&test", change_));
    CPPUNIT_ASSERT(!holds("\\filepath SRC", change_));
    CPPUNIT_ASSERT(!holds("\\filepath s.c", change_));
  }

  void unknown_files_fire() {
    change_.files_complete = false;
    change_.files.clear();
    CPPUNIT_ASSERT(holds("\\filepath anything", change_));
    CPPUNIT_ASSERT(!holds("\\filepath anything and \\branch other", change_));
  }

  void a_text_is_in_any_message() {
    CPPUNIT_ASSERT(holds("\\text lexer", change_));
    CPPUNIT_ASSERT(holds("\\text lexer&&release", change_));
    CPPUNIT_ASSERT(!holds("\\text parser", change_));
    change_.messages.clear();
    CPPUNIT_ASSERT(holds("\\text lexer", change_));
  }

  void and_binds_tighter_than_or() {
    const std::string yes = "\\branch main", no = "\\branch other";
    CPPUNIT_ASSERT(holds(yes + " or " + no + " and " + no, change_));
    CPPUNIT_ASSERT(holds(no + " and " + no + " or " + yes, change_));
    CPPUNIT_ASSERT(!holds(no + " or " + yes + " and " + no, change_));
    CPPUNIT_ASSERT(!holds(yes + " and " + no + " or " + no + " and " + yes, change_));
  }

  void double_ampersand_binds_tighter_than_double_bar() {
    CPPUNIT_ASSERT(holds("\\text lexer || no && nor", change_));
    CPPUNIT_ASSERT(holds("\\text no && nor || lexer", change_));
    CPPUNIT_ASSERT(!holds("\\text no || lexer && nor", change_));
  }

  void nothing_before_a_change_of_connective_is_dropped() {
    CPPUNIT_ASSERT(holds("\\branch main or \\text no and \\filepath no", change_));
    CPPUNIT_ASSERT(!holds("\\branch other and \\text lexer or \\filepath no", change_));
    CPPUNIT_ASSERT(holds("\\branch other and \\text lexer or \\filepath src or \\text no", change_));
  }

  void values_beside_each_other_mean_or() {
    CPPUNIT_ASSERT(holds("\\branch other main", change_));
    CPPUNIT_ASSERT(holds("\\text no lexer nor", change_));
    CPPUNIT_ASSERT(!holds("\\text no nor", change_));
  }

  void spaces_and_case_do_not_matter() {
    for (const char* text :
         {"\\branch other||main", "\\branch other || main", "\\branch other|| main", "\\BRANCH\tother ||main",
          "  \\Branch main  ", "\\branch other OR \\Text lexer", "\\branch main And \\text lexer"}) {
      CPPUNIT_ASSERT_MESSAGE(text, holds(text, change_));
    }
  }

  void quotes_hold_anything() {
    CPPUNIT_ASSERT(holds("\\filepath \"a||b\"", change_));
    CPPUNIT_ASSERT(holds("\\text \"the lexer\"", change_));
    CPPUNIT_ASSERT(holds("\\text \"and\"", change_));
    CPPUNIT_ASSERT(holds("\\text \"\\\"deploy\\\" [\"||x", change_));
    CPPUNIT_ASSERT(holds("\\branch \"\\w+\"", change_));
    CPPUNIT_ASSERT(!holds("\\text \"lexer \"", change_));
    CPPUNIT_ASSERT(holds("\\text it's||lexer", change_));
  }

  void every_mistake_has_its_column() {
    const auto is = [](const std::string& expected, const std::string& text) {
      CPPUNIT_ASSERT_EQUAL(expected, faultOf(text));
    };
    is("1: an empty trigger; write \\branch, \\filepath or \\text and a value", "");
    is("1: an empty trigger; write \\branch, \\filepath or \\text and a value", "   ");
    is("1: a trigger begins with \\branch, \\filepath or \\text; the values `and` and `or` need quotes", "main");
    is("1: a trigger begins with \\branch, \\filepath or \\text", "|| main");
    is("1: a trigger begins with \\branch, \\filepath or \\text", "and \\branch main");
    is("8: `\\branch` without a value", "\\branch");
    is("9: `\\branch` without a value", "\\branch || main");
    is("9: `\\branch` without a value; as values, `and` and `or` need quotes", "\\branch and \\text x");
    is("14: a single `|`; write `||`, or put it in quotes", "\\branch main | dev");
    is("13: a single `&`; write `&&`, or put it in quotes", "\\filepath a & b");
    is("15: `||` without a value behind it", "\\branch main||");
    is("15: `&&` without a value behind it", "\\text lexer &&");
    is("10: `||` without a value behind it", "\\text a||||b");
    is("14: two sections without `and` or `or` between them; put one of them before `\\text`",
       "\\branch main \\text x");
    is("17: behind `and` and `or` comes \\branch, \\filepath or \\text", "\\branch main and");
    is("18: behind `and` and `or` comes \\branch, \\filepath or \\text", "\\branch main and or \\text x");
    is("18: behind `and` and `or` comes \\branch, \\filepath or \\text; the values `and` and `or` need quotes",
       "\\branch main and lexer");
    is("18: unknown section `\\filpath`; did you mean `\\filepath`?", "\\branch main and \\filpath x");
    is("9: unknown section `\\d+`; write \\branch, \\filepath or \\text, or put a value that begins with `\\` in "
       "quotes",
       "\\branch \\d+");
    is("7: an empty value; it would hold for everything", "\\text \"\"");
    is("7: a quote that is never closed; add the closing `\"`", "\\text \"abc");
    is("10: text right behind a closing quote; put a space or `||` between them", "\\text \"a\"b");
    is("10: `&&` in \\branch: a change has one branch; write `||`", "\\branch a&&b");
    is("12: the pattern `(b` cannot be used: missing ): (b", "\\branch a||(b");
    is("9: the pattern `*` cannot be used: no argument for repetition operator: *", "\\branch *");
    // Columns are characters.
    is("10: `||` without a value behind it", "\\text \xC3\xA4||");
  }

  void too_much_is_refused() {
    std::string many = "\\text a";
    for (int i = 0; i < 50; ++i) many += "||b";
    CPPUNIT_ASSERT_EQUAL(std::string("157: more than 50 values in one trigger"), faultOf(many));
    CPPUNIT_ASSERT_EQUAL(std::string("1: a trigger of more than 4096 bytes"),
                         faultOf("\\text " + std::string(5000, 'a')));
  }

  // All lines of up to five tokens: each is either a directive or a fault with a place and a message.
  void no_line_of_a_few_tokens_crashes() {
    const std::vector<std::string> tokens{"\\branch", "\\text", "a", "\"b\"", "||", "&&", "and", "or"};
    int accepted = 0, refused = 0;
    for (std::size_t length = 1, count = tokens.size(); length <= 5; ++length, count *= tokens.size()) {
      for (std::size_t code = 0; code < count; ++code) {
        std::string text;
        for (std::size_t i = 0, rest = code; i < length; ++i, rest /= tokens.size())
          text += tokens[rest % tokens.size()] + " ";
        DirectiveFault fault;
        std::size_t cost = 0;
        if (const auto directive = parseDirective(text, fault, cost)) {
          ++accepted;
          directive->holds(change_);
        } else {
          ++refused;
          CPPUNIT_ASSERT_MESSAGE(text, !fault.message.empty() && fault.column >= 1 && fault.column <= text.size() + 1);
        }
      }
    }
    CPPUNIT_ASSERT(accepted > 50 && refused > 1000);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DirectiveTest);

}  // namespace
