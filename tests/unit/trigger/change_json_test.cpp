#include "host/trigger/change_json.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

#include "host/trigger/clean_text.hpp"

namespace {

using namespace ocelot;
using trigger::changeFromJson;
using trigger::toJson;

std::string refusal(const std::string& json) {
  try {
    changeFromJson(json);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  CPPUNIT_FAIL("accepted: " + json.substr(0, 100));
  return "";
}

class ChangeJsonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ChangeJsonTest);
  CPPUNIT_TEST(a_change_comes_back_as_it_was);
  CPPUNIT_TEST(every_kind_comes_back);
  CPPUNIT_TEST(hostile_text_comes_back_byte_for_byte);
  CPPUNIT_TEST(the_url_stays_behind);
  CPPUNIT_TEST(bytes_that_are_no_text_become_replacements);
  CPPUNIT_TEST(too_many_files_are_cut_and_said_to_be);
  CPPUNIT_TEST(a_path_that_is_too_long_is_not_passed_on_as_another);
  CPPUNIT_TEST(too_many_messages_lose_the_first);
  CPPUNIT_TEST(the_largest_change_fits);
  CPPUNIT_TEST(nothing_is_a_manual_change_with_unknown_files);
  CPPUNIT_TEST(what_does_not_say_complete_is_not);
  CPPUNIT_TEST(bad_json_is_refused);
  CPPUNIT_TEST(text_is_cut_between_characters);
  CPPUNIT_TEST_SUITE_END();

  void a_change_comes_back_as_it_was() {
    Change change;
    change.kind = Change::Kind::pull_request;
    change.repo.name = "team/app";
    change.branch = "feature/x";
    change.commit = std::string(40, 'a');
    change.before = std::string(40, 'b');
    change.author = "Ada";
    change.message = "two\nlines";
    change.messages = {"one", "two\nlines"};
    change.files = {"a", "b/c d"};
    change.files_complete = false;
    const Change back = changeFromJson(toJson(change));
    CPPUNIT_ASSERT(back.kind == change.kind && back.repo.name == change.repo.name && back.branch == change.branch);
    CPPUNIT_ASSERT(back.commit == change.commit && back.before == change.before && back.author == change.author);
    CPPUNIT_ASSERT(back.message == change.message && back.messages == change.messages && back.files == change.files);
    CPPUNIT_ASSERT(!back.files_complete);
    change.files_complete = true;
    CPPUNIT_ASSERT(changeFromJson(toJson(change)).files_complete);
  }

  void every_kind_comes_back() {
    for (int kind = 0; kind <= 5; ++kind) {
      Change change;
      change.kind = static_cast<Change::Kind>(kind);
      CPPUNIT_ASSERT_EQUAL(kind, static_cast<int>(changeFromJson(toJson(change)).kind));
    }
  }

  void hostile_text_comes_back_byte_for_byte() {
    for (const std::string& hostile :
         {std::string("$(touch${IFS}PWN)"), std::string("\"},{\"kind\":\"tag\""), std::string("\\\"\\u0000\\"),
          std::string("\x01\x1b[31m\x7f\t\r\n"), std::string("\xE2\x82\xAC\xF0\x9F\x98\x80")}) {
      Change change;
      change.branch = change.author = change.message = hostile;
      change.files = change.messages = {hostile};
      const Change back = changeFromJson(toJson(change));
      CPPUNIT_ASSERT_EQUAL(hostile, back.branch);
      CPPUNIT_ASSERT_EQUAL(hostile, back.author);
      CPPUNIT_ASSERT_EQUAL(hostile, back.message);
      CPPUNIT_ASSERT_EQUAL(hostile, back.files.at(0));
      CPPUNIT_ASSERT_EQUAL(hostile, back.messages.at(0));
      CPPUNIT_ASSERT(back.kind == Change::Kind::push);
    }
  }

  void the_url_stays_behind() {
    Change change;
    change.repo.url = "https://user:hunter2@example.org/x.git";
    CPPUNIT_ASSERT(toJson(change).find("hunter2") == std::string::npos);
  }

  void bytes_that_are_no_text_become_replacements() {
    Change change;
    change.message = std::string("a\xFF\0b", 4);
    CPPUNIT_ASSERT_EQUAL(std::string("a\xEF\xBF\xBD\xEF\xBF\xBD"
                                     "b"),
                         changeFromJson(toJson(change)).message);
  }

  void too_many_files_are_cut_and_said_to_be() {
    Change change;
    change.files.assign(10001, "f");
    const Change back = changeFromJson(toJson(change));
    CPPUNIT_ASSERT_EQUAL(std::size_t{10000}, back.files.size());
    CPPUNIT_ASSERT(!back.files_complete);
    change.files.pop_back();
    CPPUNIT_ASSERT(changeFromJson(toJson(change)).files_complete);
  }

  void a_path_that_is_too_long_is_not_passed_on_as_another() {
    Change change;
    change.files = {"short", std::string(5000, 'x')};
    const Change back = changeFromJson(toJson(change));
    CPPUNIT_ASSERT(back.files == std::vector<std::string>{"short"});
    CPPUNIT_ASSERT(!back.files_complete);
  }

  void too_many_messages_lose_the_first() {
    Change change;
    for (int i = 0; i < 1200; ++i) change.messages.push_back(std::to_string(i));
    const Change back = changeFromJson(toJson(change));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, back.messages.size());
    CPPUNIT_ASSERT_EQUAL(std::string("200"), back.messages.front());
    CPPUNIT_ASSERT_EQUAL(std::string("1199"), back.messages.back());
  }

  void the_largest_change_fits() {
    Change change;
    // Each byte takes six in JSON.
    const std::string control(70000, '\x01');
    change.repo.name = change.branch = change.commit = change.before = change.author = change.message = control;
    change.messages.assign(1000, control);
    change.files.assign(10000, std::string(4096, '\x01'));
    const std::string json = toJson(change);
    CPPUNIT_ASSERT(json.size() <= trigger::kMaxChangeJsonBytes);
    const Change back = changeFromJson(json);
    CPPUNIT_ASSERT(!back.files_complete);
    CPPUNIT_ASSERT_EQUAL(std::size_t{64} << 10, back.message.size());
  }

  void nothing_is_a_manual_change_with_unknown_files() {
    const Change change = changeFromJson("");
    CPPUNIT_ASSERT(change.kind == Change::Kind::manual && !change.files_complete && change.branch.empty());
  }

  void what_does_not_say_complete_is_not() { CPPUNIT_ASSERT(!changeFromJson(R"({"kind":"push"})").files_complete); }

  void bad_json_is_refused() {
    for (const char* bad : {"{", "[]", "null", "3", "x", "{\"kind\":\"push\"", R"({"kind":3})", R"({"kind":"quux"})",
                            R"({})", R"({"kind":"push","branch":[]})", R"({"kind":"push","files":"a"})",
                            R"({"kind":"push","files":[1]})", R"({"kind":"push","messages":[{}]})"}) {
      const std::string why = refusal(bad);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(why, std::size_t{0}, why.find("reading a change from its JSON: "));
    }
    refusal(std::string(200000, '['));
    refusal("{\"kind\":\"push\",\"files\":" + std::string(100, '[') + std::string(100, ']') + "}");
    CPPUNIT_ASSERT_EQUAL(std::string("reading a change from its JSON: it has 2097153 bytes, at most 2097152 are read"),
                         refusal(std::string(2097153, ' ')));
    std::string many = R"({"kind":"push","files":["a")";
    for (int i = 0; i < 10000; ++i) many += ",\"a\"";
    CPPUNIT_ASSERT_EQUAL(std::string("reading a change from its JSON: files has more than 10000 items"),
                         refusal(many + "]}"));
  }

  void text_is_cut_between_characters() {
    CPPUNIT_ASSERT_EQUAL(std::string("a\xC3\xA4"), trigger::cleanText("a\xC3\xA4\xC3\xB6", 4));
    CPPUNIT_ASSERT_EQUAL(std::string("a\xC3\xA4\xC3\xB6"), trigger::cleanText("a\xC3\xA4\xC3\xB6", 5));
    CPPUNIT_ASSERT_EQUAL(std::string(), trigger::cleanText("\xFF", 2));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ChangeJsonTest);

}  // namespace
