// A log over HTTP, from a log that the test makes grow.

#include "host/logserve/log_answer.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include "host/logs/log_source.hpp"
#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using http::Refusal;
using logserve::GrowingLog;
using logserve::Query;

http::Request asking(const http::Pairs& query, const http::Pairs& headers = {}) {
  http::Request request;
  request.query = query;
  request.headers = headers;
  return request;
}

// Grows by a piece whenever its reader waits; with the last one it ends.
class PiecewiseLog final : public GrowingLog {
 public:
  explicit PiecewiseLog(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  std::string read(std::int64_t offset, std::size_t max_bytes) override {
    most_asked = std::max(most_asked, max_bytes);
    return bytes.substr(static_cast<std::size_t>(offset), max_bytes);
  }
  std::int64_t size() override { return static_cast<std::int64_t>(bytes.size()); }
  std::optional<std::string> ended() override {
    return pieces_.empty() ? std::optional<std::string>("passed") : std::nullopt;
  }
  std::vector<logs::StageSlice> stages() override { return slices; }
  bool grow() {
    if (pieces_.empty()) return false;
    bytes += pieces_.front();
    pieces_.erase(pieces_.begin());
    return true;
  }
  std::string bytes;
  std::size_t most_asked = 0;
  std::vector<logs::StageSlice> slices;
  std::function<void()> on_growth;

 private:
  std::vector<std::string> pieces_;
};

class Reader final : public http::StreamWriter {
 public:
  explicit Reader(PiecewiseLog& log) : log_(log) {}
  bool write(std::string_view bytes) override {
    if (seen.size() >= leaves_after) return false;
    seen += bytes;
    return true;
  }
  bool wait(std::chrono::milliseconds, int) override {
    ++waits;
    const bool grew = log_.grow();
    if (log_.on_growth) log_.on_growth();
    return grew;
  }
  bool draining() const override { return false; }
  std::string seen;
  int waits = 0;
  std::size_t leaves_after = std::string::npos;

 private:
  PiecewiseLog& log_;
};

class LogServeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LogServeTest);
  CPPUNIT_TEST(queriesAreRead);
  CPPUNIT_TEST(badQueriesAreRefused);
  CPPUNIT_TEST(aFollowerWaitsForEachPiece);
  CPPUNIT_TEST(withoutFollowTheAnswerEndsWhereTheLogIs);
  CPPUNIT_TEST(aFollowedStageEndsWithTheStage);
  CPPUNIT_TEST(aReaderThatLeavesEndsIt);
  CPPUNIT_TEST(aLongLogIsReadInBlocks);
  CPPUNIT_TEST(eachFormatHasItsHeartbeat);
  CPPUNIT_TEST(aStoredLogEndsAsItsBuildDid);
  CPPUNIT_TEST(aStoredLogThatBeginsAgainIsAnother);
  CPPUNIT_TEST(aBuildThatWasPrunedMeanwhileIsNotFound);
  CPPUNIT_TEST_SUITE_END();

  static void refused(int status, const std::function<void()>& what) {
    try {
      what();
    } catch (const Refusal& refusal) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(refusal.what(), status, refusal.status);
      return;
    }
    CPPUNIT_FAIL("it was not refused");
  }
  static Query query(const http::Pairs& pairs) { return logserve::queryOf(asking(pairs)); }

  // What a reader sees; its answer ended well.
  static std::string seen(const Query& query, const std::shared_ptr<PiecewiseLog>& log, int* waits = nullptr) {
    const auto answer = logserve::answer(query, log);
    Reader reader(*log);
    CPPUNIT_ASSERT(answer.stream(reader));
    if (waits) *waits = reader.waits;
    return reader.seen;
  }

 public:
  void queriesAreRead() {
    const Query all = query({{"offset", "12"}, {"follow", ""}, {"tail", "3"}, {"stage", "a b"}, {"format", "sse"}});
    CPPUNIT_ASSERT(all.offset == 12 && all.follow && all.tail == 3 && all.stage == "a b" &&
                   all.format == logs::Format::sse);
    const Query none = query({});
    CPPUNIT_ASSERT(none.offset == 0 && !none.follow && none.tail == 0 && none.format == logs::Format::plain);
    const auto accept = [](const char* type) { return logserve::queryOf(asking({}, {{"accept", type}})).format; };
    CPPUNIT_ASSERT(accept("application/x-ndjson") == logs::Format::ndjson);
    CPPUNIT_ASSERT(accept("text/event-stream") == logs::Format::sse);
    CPPUNIT_ASSERT(accept("*/*") == logs::Format::plain);
    const auto resumed = logserve::queryOf(asking({{"offset", "1"}}, {{"last-event-id", "77"}}));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{77}, resumed.offset);
    for (const char* id : {"-1", "x", "99999999999999999999", ""})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(id, std::int64_t{1},
                                   logserve::queryOf(asking({{"offset", "1"}}, {{"last-event-id", id}})).offset);
  }

  void badQueriesAreRefused() {
    for (const auto& pair : http::Pairs{{"offset", "-1"},
                                        {"offset", "x"},
                                        {"offset", "9223372036854775808"},
                                        {"tail", "-1"},
                                        {"tail", "1.5"},
                                        {"format", "html"}})
      refused(400, [&] { query({pair}); });
    const auto log = std::make_shared<PiecewiseLog>(std::vector<std::string>{});
    refused(416, [&] { logserve::answer(query({{"offset", "1"}}), log); });
    refused(404, [&] { logserve::answer(query({{"stage", "x"}}), log); });
  }

  void aFollowerWaitsForEachPiece() {
    const auto log = std::make_shared<PiecewiseLog>(std::vector<std::string>{"a", "b\nc", "\nd"});
    int waits = 0;
    CPPUNIT_ASSERT_EQUAL(std::string("ab\nc\nd"), seen(query({{"follow", "true"}}), log, &waits));
    CPPUNIT_ASSERT_EQUAL(3, waits);
  }

  void withoutFollowTheAnswerEndsWhereTheLogIs() {
    const auto log = std::make_shared<PiecewiseLog>(std::vector<std::string>{"later"});
    log->bytes = "one\ntwo\n";
    int waits = 0;
    CPPUNIT_ASSERT_EQUAL(std::string("two\n"), seen(query({{"offset", "4"}}), log, &waits));
    CPPUNIT_ASSERT_EQUAL(0, waits);
  }

  void aFollowedStageEndsWithTheStage() {
    const auto log =
        std::make_shared<PiecewiseLog>(std::vector<std::string>{"in\n", "more\n", "after\n", "never asked"});
    log->bytes = "before\n";
    log->slices = {{0, "one", 0, 7}, {1, "two", 7, -1}};
    log->on_growth = [&] {
      if (log->bytes.find("after") != std::string::npos) log->slices[1].end = 15;
    };
    CPPUNIT_ASSERT_EQUAL(std::string("in\nmore\n"), seen(query({{"follow", "1"}, {"stage", "two"}}), log));
  }

  void aReaderThatLeavesEndsIt() {
    const auto log = std::make_shared<PiecewiseLog>(std::vector<std::string>{"a", "b", "c", "d"});
    const auto answer = logserve::answer(query({{"follow", "1"}}), log);
    Reader reader(*log);
    reader.leaves_after = 2;
    CPPUNIT_ASSERT_MESSAGE("an answer that was not whole is cut", !answer.stream(reader));
    CPPUNIT_ASSERT_EQUAL(std::string("ab"), reader.seen);
  }

  void aLongLogIsReadInBlocks() {
    const auto log = std::make_shared<PiecewiseLog>(std::vector<std::string>{});
    log->bytes = std::string(3 << 20, 'x');
    CPPUNIT_ASSERT_EQUAL(std::size_t{3 << 20}, seen(query({}), log).size());
    CPPUNIT_ASSERT(log->most_asked <= 256 << 10);
  }

  void eachFormatHasItsHeartbeat() {
    const auto log = std::make_shared<PiecewiseLog>(std::vector<std::string>{});
    CPPUNIT_ASSERT(logserve::answer(query({}), log).heartbeat.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("{\"alive\":true}\n"),
                         logserve::answer(query({{"format", "ndjson"}}), log).heartbeat);
    CPPUNIT_ASSERT_EQUAL(':', logserve::answer(query({{"format", "sse"}}), log).heartbeat.at(0));
  }

  void aStoredLogEndsAsItsBuildDid() {
    Scene scene;
    const auto claim = scene.running();
    scene.store().appendLog(claim, 0, "one\n");
    const auto log = logserve::openStored(scene.store(), claim.build_id);
    CPPUNIT_ASSERT(!log->ended() && log->size() == 4 && log->read(1, 2) == "ne" && log->read(4, 9).empty());
    scene.store().appendLog(claim, 4, "two\n");
    scene.end(claim, model::BuildState::timed_out);
    CPPUNIT_ASSERT(log->ended() == "timed_out");
    CPPUNIT_ASSERT_EQUAL(std::string("two\n"), log->read(4, 100));
  }

  void aStoredLogThatBeginsAgainIsAnother() {
    Scene scene;
    const auto claim = scene.running();
    scene.store().appendLog(claim, 0, "one\n");
    const auto log = logserve::openStored(scene.store(), claim.build_id);
    CPPUNIT_ASSERT(!log->ended() && !log->begunAgain());
    scene.store().release(claim, "the worker was stopped");
    CPPUNIT_ASSERT_MESSAGE("it waits: its log may still be read", !log->ended() && !log->begunAgain());
    CPPUNIT_ASSERT(scene.store().claim("worker-2", {}, 30000));
    CPPUNIT_ASSERT(!log->ended() && log->begunAgain());
  }

  void aBuildThatWasPrunedMeanwhileIsNotFound() {
    Scene scene;
    refused(404, [&] { logserve::openStored(scene.store(), model::newUuid()); });
    const auto claim = scene.running();
    const auto log = logserve::openStored(scene.store(), claim.build_id);
    scene.end(claim, model::BuildState::failed);
    scene.sql("DELETE FROM builds");
    refused(404, [&] { log->ended(); });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LogServeTest);

}  // namespace
