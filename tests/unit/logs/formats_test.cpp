#include "host/logs/formats.hpp"

#include <cppunit/extensions/HelperMacros.h>

using namespace ocelot::logs;

namespace {

std::string encoded(Format format, const std::string& text, std::int64_t offset = 0,
                    std::vector<StageSlice> stages = {}) {
  const auto encoder = makeEncoder(format, offset, std::move(stages));
  std::string out;
  encoder->encode(text, out);
  encoder->finish(offset + static_cast<std::int64_t>(text.size()), "passed", out);
  return out;
}

const char* const kEnd7 = "{\"end\":true,\"bytes\":7,\"state\":\"passed\"}\n";

}  // namespace

class FormatsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FormatsTest);
  CPPUNIT_TEST(plainIsTheBytes);
  CPPUNIT_TEST(aRecordALine);
  CPPUNIT_TEST(stagesSplitLines);
  CPPUNIT_TEST(badUtf8AndControlsBecomeValidJson);
  CPPUNIT_TEST(longLinesAreSplitBetweenCharacters);
  CPPUNIT_TEST(everyCutGivesTheSameRecords);
  CPPUNIT_TEST(resumingAtAnyOffsetGivesTheRest);
  CPPUNIT_TEST(flushLetsAPromptGo);
  CPPUNIT_TEST(eventsCarryWhereToGoOn);
  CPPUNIT_TEST(formatsAreFoundByNameAndType);
  CPPUNIT_TEST_SUITE_END();

 public:
  void plainIsTheBytes() {
    CPPUNIT_ASSERT_EQUAL(std::string("a\0\xff\n", 4), encoded(Format::plain, std::string("a\0\xff\n", 4)));
  }

  void aRecordALine() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("{\"offset\":0,\"next\":4,\"text\":\"one\"}\n{\"offset\":4,\"next\":5,\"text\":\"\"}\n"
                    "{\"offset\":5,\"next\":7,\"partial\":true,\"text\":\"tw\"}\n") +
            kEnd7,
        encoded(Format::ndjson, "one\n\ntw"));
  }

  void stagesSplitLines() {
    CPPUNIT_ASSERT_EQUAL(std::string("{\"offset\":0,\"next\":2,\"text\":\"n\"}\n"
                                     "{\"offset\":2,\"next\":4,\"stage\":0,\"partial\":true,\"text\":\"aa\"}\n"
                                     "{\"offset\":4,\"next\":7,\"stage\":1,\"text\":\"bb\"}\n") +
                             kEnd7,
                         encoded(Format::ndjson, "n\naabb\n", 0, {{0, "a", 2, 4}, {1, "b", 4, -1}}));
    // A stage told only after its first bytes were given.
    const auto encoder = makeEncoder(Format::ndjson, 0);
    std::string out;
    encoder->encode("aabb", out);
    encoder->setStages({{0, "a", 2, -1}});
    encoder->encode("cc\n", out);
    CPPUNIT_ASSERT(out.find("\"text\":\"cc\"") != std::string::npos);
  }

  void badUtf8AndControlsBecomeValidJson() {
    std::string out;
    appendJsonText(std::string("\0\x1f\"\\\t\r\n\xc3\xa9\xff\xc0\x80\xed\xa0\x80\xf0\x9f\x98\x80\xe2\x82", 21), out);
    const std::string bad = "\xef\xbf\xbd";
    CPPUNIT_ASSERT_EQUAL(
        "\\u0000\\u001f\\\"\\\\\\t\\r\\n\xc3\xa9" + bad + bad + bad + bad + bad + bad + "\xf0\x9f\x98\x80" + bad + bad,
        out);
  }

  void longLinesAreSplitBetweenCharacters() {
    const std::string line = "a" + [] {
      std::string text;
      for (int i = 0; i < 40000; ++i) text += "\xe2\x82\xac";
      return text;
    }();
    const std::string out = encoded(Format::ndjson, line + "\n");
    CPPUNIT_ASSERT_EQUAL(std::string::npos, out.find("\xef\xbf\xbd"));
    CPPUNIT_ASSERT(out.find("{\"offset\":0,\"next\":65536,\"partial\":true") == 0);  // 1 + 3 × 21845
    CPPUNIT_ASSERT(out.find("{\"offset\":65536,\"next\":120002,\"text\"") != std::string::npos);
  }

  void everyCutGivesTheSameRecords() {
    const std::string text = "one\ntwo \xe2\x82\xac\xff\n\nlast";
    const std::vector<StageSlice> stages{{0, "a", 2, 9}, {1, "b", 9, -1}};
    const std::string whole = encoded(Format::sse, text, 0, stages);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      const auto encoder = makeEncoder(Format::sse, 0, stages);
      std::string out;
      encoder->encode(text.substr(0, cut), out);
      encoder->encode(text.substr(cut), out);
      encoder->finish(static_cast<std::int64_t>(text.size()), "passed", out);
      CPPUNIT_ASSERT_EQUAL(whole, out);
    }
  }

  void resumingAtAnyOffsetGivesTheRest() {
    const std::string text = "one\ntwo\nthree\n";
    const std::string whole = encoded(Format::ndjson, text);
    const std::string rest = encoded(Format::ndjson, text.substr(4), 4);
    CPPUNIT_ASSERT_EQUAL(whole.substr(whole.find('\n') + 1), rest);
  }

  void flushLetsAPromptGo() {
    const auto encoder = makeEncoder(Format::ndjson, 0);
    std::string out;
    encoder->encode("name? \xe2\x82", out);
    CPPUNIT_ASSERT_EQUAL(std::string(), out);
    encoder->flush(out);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"offset\":0,\"next\":6,\"partial\":true,\"text\":\"name? \"}\n"), out);
    encoder->flush(out);
    encoder->encode("\xac\n", out);
    CPPUNIT_ASSERT(out.find("{\"offset\":6,\"next\":10,\"text\":\"\xe2\x82\xac\"}\n") != std::string::npos);
  }

  void eventsCarryWhereToGoOn() {
    CPPUNIT_ASSERT_EQUAL(std::string("id: 7\ndata: {\"offset\":3,\"next\":7,\"text\":\"one\"}\n\n"
                                     "event: end\nid: 7\ndata: {\"end\":true,\"bytes\":7,\"state\":\"passed\"}\n\n"),
                         encoded(Format::sse, "one\n", 3));
  }

  void formatsAreFoundByNameAndType() {
    CPPUNIT_ASSERT(formatFrom("sse") == Format::sse);
    CPPUNIT_ASSERT(formatFrom("text/event-stream") == Format::sse);
    CPPUNIT_ASSERT(formatFrom("text/plain;charset=utf-8") == Format::plain);
    CPPUNIT_ASSERT(formatFrom("application/x-ndjson") == Format::ndjson);
    CPPUNIT_ASSERT(!formatFrom("text/html"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(FormatsTest);
