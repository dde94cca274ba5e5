// /v1/builds/{id}/log: stored and growing, whole and in parts, in every format, here and at the worker.

#include <cppunit/extensions/HelperMacros.h>

#include <thread>

#include "host/http/url.hpp"
#include "host/ticket/ticket.hpp"
#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;
using model::StageState;

class LogTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LogTest);
  CPPUNIT_TEST(aStoredLogIsReadWholeAndInParts);
  CPPUNIT_TEST(linesAsNdjson);
  CPPUNIT_TEST(linesAsEvents);
  CPPUNIT_TEST(aStageIsReadAlone);
  CPPUNIT_TEST(aFollowerSeesTheLogGrowAndEnd);
  CPPUNIT_TEST(whatIsAskedForWrongly);
  CPPUNIT_TEST(aRunningBuildIsReadAtItsWorker);
  CPPUNIT_TEST(withoutAWorkerThatCanBeReachedItIsReadHere);
  CPPUNIT_TEST(redirectsCanBeTurnedOff);
  CPPUNIT_TEST(nobodyIsSentFromHttpsToHttp);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<ApiScene> scene_;

  HttpAnswer log(const std::string& query = "") {
    return scene_->send("GET", "/v1/builds/1/log" + (query.empty() ? "" : "?" + query));
  }
  void reads(const std::string& expected, const std::string& query) {
    const auto answer = log(query);
    assertStatus(200, answer);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(query, expected, answer.body);
  }

 public:
  void setUp() override { scene_ = std::make_unique<ApiScene>(); }
  void tearDown() override { scene_.reset(); }

  void aStoredLogIsReadWholeAndInParts() {
    scene_->ended(Scene::someBuild(), BuildState::passed, "one\ntwo\nthree\n");
    reads("one\ntwo\nthree\n", "");
    reads("two\nthree\n", "offset=4");
    reads("", "offset=14");
    reads("three\n", "tail=1");
    reads("two\nthree\n", "tail=2&follow");
    reads("one\ntwo\nthree\n", "tail=99");
    reads("hree\n", "tail=2&offset=9");
    const auto answer = log("tail=1");
    CPPUNIT_ASSERT_EQUAL(std::string("8"), http::headerOf(answer, "Ocelot-Log-Offset"));
    CPPUNIT_ASSERT_EQUAL(std::string("no-store"), http::headerOf(answer, "Cache-Control"));
    CPPUNIT_ASSERT_EQUAL(std::string("nosniff"), http::headerOf(answer, "X-Content-Type-Options"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, http::headerOf(answer, "Content-Type").find("text/plain"));
  }

  void linesAsNdjson() {
    scene_->ended(Scene::someBuild(), BuildState::failed, "one\n<b>\"\xff\x1b[0m");
    const auto answer = log("format=ndjson&follow=true");
    CPPUNIT_ASSERT_EQUAL(std::string("application/x-ndjson"), http::headerOf(answer, "Content-Type").substr(0, 20));
    const std::string& body = answer.body;
    CPPUNIT_ASSERT_EQUAL_MESSAGE(body, std::size_t{0}, body.find("{\"offset\":0,\"next\":4,"));
    CPPUNIT_ASSERT_MESSAGE(body, body.find("\"text\":\"one\"}\n") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(body, body.find("\"text\":\"<b>\\\"\xef\xbf\xbd\\u001b[0m\"") != std::string::npos);
    const std::string end = "{\"end\":true,\"bytes\":13,\"state\":\"failed\"}\n";
    CPPUNIT_ASSERT_MESSAGE(body, body.size() > end.size() && body.substr(body.size() - end.size()) == end);
  }

  void linesAsEvents() {
    scene_->ended(Scene::someBuild(), BuildState::passed, "one\ntwo\n");
    const std::string body = log("format=sse").body;
    CPPUNIT_ASSERT_EQUAL_MESSAGE(body, std::size_t{0}, body.find("id: 4\ndata: {"));
    CPPUNIT_ASSERT_MESSAGE(body, body.find("\"end\":true") != std::string::npos);
    http::ClientSettings settings;
    settings.url = scene_->server->url();
    settings.token = scene_->viewer;
    HttpRequest request;
    request.url = "/v1/builds/1/log";
    request.headers = {{"Accept", "text/event-stream"}, {"Last-Event-ID", "4"}};
    SimpleCall call(std::chrono::milliseconds(10000));
    const auto answer = http::Client(settings).send(call, request);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a browser comes back", std::size_t{0}, answer.body.find("id: 8\ndata: {"));
    CPPUNIT_ASSERT_EQUAL(std::string::npos, answer.body.find("one"));
  }

  void aStageIsReadAlone() {
    const auto claim = scene_->running();
    scene_->store().appendLog(claim, 0, "aaa\nbbb\nccc\n");
    std::vector<model::Stage> stages(3);
    const char* names[] = {"fetch", "1", "later"};
    for (int i = 0; i < 3; ++i) {
      auto& stage = stages[static_cast<std::size_t>(i)];
      stage.index = i;
      stage.name = names[i];
      stage.state = i == 0 ? StageState::passed : i == 1 ? StageState::running : StageState::pending;
      stage.log_begin = 4 * i;
      stage.log_end = 4 * i + 4;
    }
    scene_->store().updateStages(claim, stages);
    reads("aaa\n", "stage=fetch");
    reads("aaa\n", "stage=0&tail=5");
    reads("bbb\nccc\n", "stage=1");
    const auto answer = log("stage=later");
    assertRefused(404, "no_such_stage", answer);
    CPPUNIT_ASSERT_EQUAL(std::string("stages so far: fetch, 1"), textOf(answer, "hint"));
  }

  void aFollowerSeesTheLogGrowAndEnd() {
    const auto claim = scene_->running();
    scene_->store().appendLog(claim, 0, "begun\n");
    http::ClientSettings settings;
    settings.url = scene_->server->url();
    settings.token = scene_->viewer;
    http::Client client(settings);
    HttpRequest request;
    request.url = "/v1/builds/1/log?follow=true&format=ndjson";
    SimpleCall call(std::chrono::milliseconds(30000));
    std::string seen;
    bool more = false, ended = false;
    const bool whole = client.stream(
        call, request, [](const HttpAnswer& head) { return head.status == 200; },
        [&](std::string_view bytes) {
          seen += bytes;
          // Each next thing happens only when the last has come through.
          if (!more && seen.find("begun") != std::string::npos) {
            more = true;
            scene_->store().appendLog(claim, 6, "more\n");
          } else if (!ended && seen.find("more") != std::string::npos) {
            ended = true;
            store::Finish finish;
            finish.claim = claim;
            finish.outcome = {BuildState::failed, "stage_failed", "no"};
            finish.tail_offset = 11;
            finish.tail = "last\n";
            finish.log_bytes = 16;
            CPPUNIT_ASSERT(scene_->store().finish(finish));
          }
          return true;
        });
    CPPUNIT_ASSERT(whole);
    CPPUNIT_ASSERT_MESSAGE(seen, seen.find("\"text\":\"last\"") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(seen, seen.find("{\"end\":true,\"bytes\":16,\"state\":\"failed\"}\n") != std::string::npos);
  }

  void whatIsAskedForWrongly() {
    scene_->ended(Scene::someBuild(), BuildState::passed, "one\n");
    assertRefused(416, "beyond_the_end", log("offset=5"));
    assertRefused(400, "bad_format", log("format=html"));
    for (const char* query : {"offset=-1", "tail=-1", "offset=x", "tail=99999999999999999999"})
      assertStatus(400, log(query));
    assertRefused(404, "no_such_stage", log("stage=%3Cscript%3E"));
    assertRefused(404, "no_such_build", scene_->send("GET", "/v1/builds/2/log"));
  }

  void aRunningBuildIsReadAtItsWorker() {
    const auto claim = scene_->running();
    scene_->engines.discovery->announce({"worker-1", "alpha", "http://worker.example:7701", {}, 1, "0", "", 1, 0});
    const auto answer = log("follow=true&offset=3&stage=a%20b%26");
    assertStatus(307, answer);
    const std::string at = http::headerOf(answer, "Location");
    const std::string begin = "http://worker.example:7701/v1/builds/" + claim.build_id + "/log?ticket=";
    CPPUNIT_ASSERT_EQUAL_MESSAGE(at, std::size_t{0}, at.find(begin));
    const std::string end = "&follow=true&offset=3&stage=a%20b%26";
    CPPUNIT_ASSERT_EQUAL_MESSAGE(at, end, at.substr(at.size() - end.size()));
    ticket::Gate gate(scene_->api.ticket_key().value());
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    const std::string text = at.substr(begin.size(), at.find('&') - begin.size());
    const auto ticket = gate.admit(text, now.count());
    CPPUNIT_ASSERT(ticket && ticket->build_id == claim.build_id && ticket->attempt == 1);
    CPPUNIT_ASSERT_MESSAGE("once", !gate.admit(text, now.count()));
  }

  void withoutAWorkerThatCanBeReachedItIsReadHere() {
    const auto claim = scene_->running();
    scene_->store().appendLog(claim, 0, "here\n");
    reads("here\n", "");
    scene_->engines.discovery->announce({"worker-1", "alpha", "", {}, 1, "0", "", 1, 0});
    reads("here\n", "");
    scene_->engines.discovery->announce({"worker-1", "alpha", "http://127.0.0.1:1", {}, 1, "0", "", 1, 0});
    reads("here\n", "via=admin");
    scene_->end(claim);
    reads("here\n", "");
  }

  void redirectsCanBeTurnedOff() {
    scene_.reset();
    scene_ = std::make_unique<ApiScene>("admin: {redirect_logs: false}");
    const auto claim = scene_->running();
    scene_->store().appendLog(claim, 0, "here\n");
    scene_->engines.discovery->announce({"worker-1", "alpha", "http://127.0.0.1:1", {}, 1, "0", "", 1, 0});
    reads("here\n", "");
  }

  void nobodyIsSentFromHttpsToHttp() {
    scene_.reset();
    scene_ = std::make_unique<ApiScene>("admin: {public_url: \"https://ci.example.org\"}");
    const auto claim = scene_->running();
    scene_->store().appendLog(claim, 0, "here\n");
    scene_->engines.discovery->announce({"worker-1", "alpha", "http://127.0.0.1:1", {}, 1, "0", "", 1, 0});
    reads("here\n", "");
    scene_->engines.discovery->announce({"worker-1", "alpha", "https://127.0.0.1:1", {}, 1, "0", "", 1, 0});
    assertStatus(307, log());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LogTest);

}  // namespace
