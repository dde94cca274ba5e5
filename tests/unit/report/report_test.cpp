// Ends of builds, told by the real webhook plugin to a local server.

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <cppunit/extensions/HelperMacros.h>

#include <deque>
#include <map>
#include <mutex>

#include "host/digest/digest.hpp"
#include "host/http/server.hpp"
#include "host/report/reporter.hpp"
#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;
using std::chrono::milliseconds;

// Takes what is posted to /hook/NAME and answers as it was told to.
class Receiver {
 public:
  Receiver() {
    http::Routes routes;
    routes.add(
        {"POST", "/hook/{name}", http::Role::none, [this](const http::Request& request) { return take(request); }});
    server_ = std::make_unique<http::Server>(http::ServerSettings{}, std::move(routes), nullptr);
  }
  std::string url(const std::string& name) const { return server_->url() + "/hook/" + name; }
  // The next answers to this name; afterwards 204.
  void answer(const std::string& name, std::deque<int> statuses) {
    std::lock_guard guard(mutex_);
    answers_[name] = std::move(statuses);
  }
  std::vector<http::Request> got(const std::string& name) {
    std::lock_guard guard(mutex_);
    return got_[name];
  }
  std::size_t count(const std::string& name) { return got(name).size(); }

 private:
  http::Answer take(const http::Request& request) {
    std::lock_guard guard(mutex_);
    const std::string name = request.param("name");
    got_[name].push_back(request);
    if (answers_[name].empty()) return http::nothing();
    const int status = answers_[name].front();
    answers_[name].pop_front();
    return http::failure(status, "told_so", "no");
  }

  std::mutex mutex_;
  std::map<std::string, std::deque<int>> answers_;
  std::map<std::string, std::vector<http::Request>> got_;
  std::unique_ptr<http::Server> server_;
};

Poco::JSON::Object::Ptr bodyOf(const http::Request& request) {
  return Poco::JSON::Parser().parse(request.body).extract<Poco::JSON::Object::Ptr>();
}

class ReportTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReportTest);
  CPPUNIT_TEST(anEndIsToldOnce);
  CPPUNIT_TEST(aStageThatWasSkippedTookNoTime);
  CPPUNIT_TEST(aReceiverThatIsAwayIsToldLater);
  CPPUNIT_TEST(aReceiverThatRefusesIsNotAskedAgain);
  CPPUNIT_TEST(tryingAgainForOneTellsNoOtherTwice);
  CPPUNIT_TEST(aNoticeSurvivesARestart);
  CPPUNIT_TEST(itIsGivenUpInTheEnd);
  CPPUNIT_TEST(onlyTheEndsThatWereAskedForAreTold);
  CPPUNIT_TEST(anUnknownOrBrokenNotifierStopsNoOther);
  CPPUNIT_TEST(aFileThatBrokeIsToldToWhomeverWasToldBefore);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<Receiver> receiver_;
  std::unique_ptr<Scene> scene_;
  daemon::Metrics metrics_;
  std::unique_ptr<report::Reporter> reporter_;

  void start(int tries = 20) {
    report::ReporterSettings settings;
    settings.url = "https://ci.example.com";
    settings.interval = milliseconds(10);
    settings.first_pause = milliseconds(20);
    settings.tries = tries;
    reporter_ = std::make_unique<report::Reporter>(scene_->engines, scene_->config, settings, metrics_);
  }
  static model::Build wanting(const std::string& notify) {
    auto build = Scene::someBuild();
    build.pipeline += "notify: [" + notify + "]\n";
    return build;
  }
  bool settled() { return scene_->query("SELECT count(*) FROM notices") == "0"; }
  void untilSettled() {
    waitUntil("every notice is settled", [&] { return settled(); });
  }

 public:
  void setUp() override {
    receiver_ = std::make_unique<Receiver>();
    scene_ =
        std::make_unique<Scene>("plugins:\n  notifiers:\n    team: {plugin: webhook, url: \"" + receiver_->url("team") +
                                "\", secret: !secret team}\n    other: {plugin: webhook, url: \"" +
                                receiver_->url("other") + "\"}\n    broken: {plugin: webhook, url: \"ftp://x\"}\n");
    scene_->engines.secrets->put("system/team", "key");
  }
  void tearDown() override {
    reporter_.reset();
    scene_.reset();
    receiver_.reset();
  }

  void anEndIsToldOnce() {
    start();
    scene_->ended(wanting("{via: team, target: \"#builds\"}"), BuildState::passed);
    untilSettled();
    const std::string id = scene_->ended(wanting("{via: team, target: \"#builds\"}"), BuildState::failed);
    untilSettled();
    const auto got = receiver_->got("team");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, got.size());
    CPPUNIT_ASSERT_EQUAL("sha256=" + digest::hmacSha256Hex("key", got[1].body),
                         got[1].header("x-ocelot-signature-256"));
    CPPUNIT_ASSERT_EQUAL(id, got[1].header("x-ocelot-delivery"));
    const auto body = bodyOf(got[1]);
    CPPUNIT_ASSERT_MESSAGE(got[1].body, got[1].body.find("\"#builds\"") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(got[1].body, got[1].body.find("https://ci.example.com/builds/2") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(got[1].body, got[1].body.find("\"stage_failed\"") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(got[1].body, got[1].body.find("\"previous_state\":\"passed\"") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1},
                         metrics_.counter("ocelot_builds_ended_total", "", {{"state", "failed"}}).value());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, metrics_.counter("ocelot_notices_total", "", {{"outcome", "told"}}).value());
  }

  // Its end is known and its begin is not: it never began.
  void aStageThatWasSkippedTookNoTime() {
    start();
    store::Finish finish;
    finish.claim = scene_->running(wanting("{via: team}"));
    finish.outcome = {BuildState::passed, "", ""};
    model::Stage stage;
    stage.name = "late";
    stage.state = model::StageState::skipped;
    stage.finished_at = 1700000000000000;
    finish.stages = {stage};
    CPPUNIT_ASSERT(scene_->store().finish(finish));
    untilSettled();
    const std::string body = receiver_->got("team").at(0).body;
    CPPUNIT_ASSERT_MESSAGE(body, body.find("\"state\":\"skipped\"") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(body, body.find("\"duration_ms\":0}") != std::string::npos);
  }

  void aReceiverThatIsAwayIsToldLater() {
    receiver_->answer("team", {503, 500, 429});
    start();
    scene_->ended(wanting("{via: team}"));
    untilSettled();
    const auto got = receiver_->got("team");
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, got.size());
    for (const auto& request : got)
      CPPUNIT_ASSERT_EQUAL(got[0].header("x-ocelot-delivery"), request.header("x-ocelot-delivery"));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1},
                         metrics_.counter("ocelot_builds_ended_total", "", {{"state", "passed"}}).value());
  }

  void aReceiverThatRefusesIsNotAskedAgain() {
    receiver_->answer("team", {400});
    start();
    scene_->ended(wanting("{via: team}"));
    untilSettled();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, receiver_->count("team"));
  }

  void tryingAgainForOneTellsNoOtherTwice() {
    receiver_->answer("team", {503, 503});
    start();
    scene_->ended(wanting("{via: other, target: a}, {via: team}, {via: other, target: b}"));
    waitUntil("one has to wait", [&] { return receiver_->count("team") >= 1 && receiver_->count("other") == 2; });
    reporter_.reset();
    start();  // also another process knows
    untilSettled();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, receiver_->count("team"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, receiver_->count("other"));
  }

  void aNoticeSurvivesARestart() {
    scene_->ended(wanting("{via: team}"));
    CPPUNIT_ASSERT(!settled());
    scene_->engines = engines::Engines{};
    scene_->engines = engines::open(scene_->config);
    start();
    untilSettled();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, receiver_->count("team"));
  }

  void itIsGivenUpInTheEnd() {
    receiver_->answer("team", std::deque<int>(100, 503));
    start(3);
    scene_->ended(wanting("{via: team}"));
    untilSettled();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, receiver_->count("team"));
  }

  void onlyTheEndsThatWereAskedForAreTold() {
    start();
    const std::string both = "{via: team, on: [FAIL]}, {via: other, on: [PASS]}";
    scene_->ended(wanting(both), BuildState::passed);
    scene_->ended(wanting(both), BuildState::failed);
    scene_->ended(wanting(both), BuildState::error);
    scene_->ended(wanting(both), BuildState::timed_out);
    scene_->ended(wanting(both), BuildState::canceled);
    scene_->ended(Scene::someBuild(), BuildState::failed);
    untilSettled();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, receiver_->count("team"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, receiver_->count("other"));
  }

  void anUnknownOrBrokenNotifierStopsNoOther() {
    start();
    scene_->ended(wanting("{via: nobody}, {via: broken}, {via: team}"));
    untilSettled();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, receiver_->count("team"));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1},
                         metrics_.counter("ocelot_notices_total", "", {{"outcome", "unknown"}}).value());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1},
                         metrics_.counter("ocelot_notices_total", "", {{"outcome", "refused"}}).value());
  }

  void aFileThatBrokeIsToldToWhomeverWasToldBefore() {
    scene_->ended(wanting("{via: team}"));
    auto broken = Scene::someBuild();
    broken.state = BuildState::rejected;
    broken.reason = "bad_pipeline";
    broken.sentence = "ocelot.yml:1:1: unknown key `stagse`";
    broken.pipeline = "stagse: []\n";
    scene_->store().accept(broken, "");
    start();
    untilSettled();
    const auto got = receiver_->got("team");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, got.size());
    CPPUNIT_ASSERT_MESSAGE(got[1].body, got[1].body.find("stagse") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(got[1].body, got[1].body.find("\"rejected\"") != std::string::npos);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ReportTest);

}  // namespace
