// A log over connections that break, move and begin anew.

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "components/cli/follow.hpp"
#include "tests/support/loopback.hpp"
#include "tests/unit/cli/fake_admin.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot;
using test::FakeAdmin;

namespace {

// `run`: when it began.
std::string buildJson(const std::string& state, std::size_t log_bytes, int attempt = 1, int run = 1) {
  return R"({"id":"b","number":7,"repo":"acme/app","branch":"main","commit":"3f2a1c9d","state":")" + state +
         R"(","attempt":)" + std::to_string(attempt) + R"(,"started_at":)" + std::to_string(run) + R"(,"log_bytes":)" +
         std::to_string(log_bytes) + "}";
}

std::string longLog() {
  std::string log;
  for (int line = 0; line < 500; ++line) log += "line " + std::to_string(line) + "\n";
  return log;
}

std::string record(std::size_t offset, const std::string& text) {
  return "{\"offset\":" + std::to_string(offset) + ",\"next\":" + std::to_string(offset + text.size() + 1) +
         ",\"text\":\"" + text + "\"}\n";
}

}  // namespace

class FollowTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FollowTest);
  CPPUNIT_TEST(aConnectionThatBreaksIsResumedByteByByte);
  CPPUNIT_TEST(theWorkersPartIsFollowedByTheStores);
  CPPUNIT_TEST(aBuildThatMovesIsFoundAgain);
  CPPUNIT_TEST(aWorkerThatIsNotReachedIsReadThroughTheServer);
  CPPUNIT_TEST(anotherAttemptBeginsFromItsBeginning);
  CPPUNIT_TEST(aBuildThatWasGivenBackBeginsFromItsBeginning);
  CPPUNIT_TEST(aTailIsAskedForOnce);
  CPPUNIT_TEST(recordsAreResumedByWhatTheySay);
  CPPUNIT_TEST(aReaderThatLeavesEndsIt);
  CPPUNIT_TEST(anInterruptLeavesTheBuildAndIsNoSuccess);
  CPPUNIT_TEST(aRefusalIsToldWithItsHint);
  CPPUNIT_TEST(nobodysBuildIsEndedUnnamed);
  CPPUNIT_TEST(theExitStatusIsTheBuilds);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aConnectionThatBreaksIsResumedByteByByte() {
    const std::string log = longLog();
    admin_.log_answers = {FakeAdmin::sends(log, 1000), FakeAdmin::sends(log, 1), FakeAdmin::sends(log, 777),
                          FakeAdmin::sends(log)};
    admin_.builds = {buildJson("running", 0), buildJson("running", 0), buildJson("running", 0), buildJson("running", 0),
                     buildJson("passed", log.size())};
    CPPUNIT_ASSERT_EQUAL(log, followed());
    CPPUNIT_ASSERT_EQUAL(std::string("offset=1778&follow=true"), admin_.logQueries().at(3));
  }

  void theWorkersPartIsFollowedByTheStores() {
    const std::string log = longLog();
    // The worker's stream ends whole while the store's copy goes on.
    admin_.log_answers = {FakeAdmin::sends(log.substr(0, 2000)), FakeAdmin::sends(log)};
    admin_.builds = {buildJson("running", 0), buildJson("running", 2000), buildJson("failed", log.size())};
    CPPUNIT_ASSERT_EQUAL(log, followed());
  }

  void aBuildThatMovesIsFoundAgain() {
    const std::string log = longLog();
    const auto moved = [](const http::Request&) {
      return http::failure(404, "not_here", "the build is not here; ask admin again");
    };
    admin_.log_answers = {FakeAdmin::sends(log, 100), moved, FakeAdmin::sends(log)};
    admin_.builds = {buildJson("running", 0), buildJson("running", 0), buildJson("passed", log.size())};
    CPPUNIT_ASSERT_EQUAL(log, followed());
  }

  void aWorkerThatIsNotReachedIsReadThroughTheServer() {
    const std::string log = longLog();
    const test::Loopback nobody(test::Loopback::Listens::no);
    const auto there = [&nobody](const http::Request&) {
      return http::redirect("http://" + nobody.address() + "/v1/builds/b/log?ticket=secret");
    };
    admin_.log_answers = {FakeAdmin::sends(log, 100), there, FakeAdmin::sends(log, 300), FakeAdmin::sends(log)};
    admin_.builds = {buildJson("running", 0), buildJson("running", 0), buildJson("running", 0),
                     buildJson("passed", log.size())};
    const test::Person person;
    ::setenv("OCELOT_URL", admin_.url().c_str(), 1);
    ::setenv("OCELOT_TOKEN", "oct_test", 1);
    const auto ran = test::ocelot({"logs", "-f", "7"});
    CPPUNIT_ASSERT_EQUAL(log, ran.out);
    const std::string said = "connection refused: nothing listens there; the log comes through the server";
    CPPUNIT_ASSERT_MESSAGE(ran.err, test::contains(ran.err, said));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("once: " + ran.err, ran.err.find(said), ran.err.rfind(said));
    CPPUNIT_ASSERT_MESSAGE("no ticket on a terminal: " + ran.err, !test::contains(ran.err, "secret"));
    CPPUNIT_ASSERT_EQUAL(std::string("offset=100&follow=true"), admin_.logQueries().at(1));
    CPPUNIT_ASSERT_EQUAL(std::string("offset=100&follow=true&via=admin"), admin_.logQueries().at(2));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("for the rest of it", std::string("offset=400&follow=true&via=admin"),
                                 admin_.logQueries().at(3));
  }

  void anotherAttemptBeginsFromItsBeginning() { beginsFromItsBeginning(2); }

  // By a worker that was told to end: that run was no attempt, and the next has its number.
  void aBuildThatWasGivenBackBeginsFromItsBeginning() { beginsFromItsBeginning(1); }

  void beginsFromItsBeginning(int attempt) {
    const std::string first = longLog(), second = "the next run\n";
    admin_.log_answers = {FakeAdmin::sends(first, 500), FakeAdmin::sends(second)};
    admin_.builds = {buildJson("running", 0, 1, 1), buildJson("running", 0, attempt, 2),
                     buildJson("passed", second.size(), attempt, 2)};
    std::int64_t announced = 0;
    std::string got;
    cli::LogQuery query;
    query.follow = true;
    admin_.client().log(
        "b", query,
        [&](std::string_view bytes) {
          got += bytes;
          return true;
        },
        [&](std::int64_t now) { announced = now; });
    CPPUNIT_ASSERT_EQUAL(first.substr(0, 500) + second, got);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{attempt}, announced);
  }

  void aTailIsAskedForOnce() {
    const std::string log = longLog();
    admin_.log_answers = {FakeAdmin::sends(log, 100), FakeAdmin::sends(log)};
    cli::LogQuery query;
    query.tail = 5;
    std::string got;
    admin_.client().log("b", query, [&](std::string_view bytes) {
      got += bytes;
      return true;
    });
    CPPUNIT_ASSERT_EQUAL(log, got);
    CPPUNIT_ASSERT_EQUAL(std::string("offset=0&tail=5"), admin_.logQueries().at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("offset=100"), admin_.logQueries().at(1));
  }

  void recordsAreResumedByWhatTheySay() {
    const std::string one = record(0, "first"), two = record(6, "second");
    const std::string end = "{\"end\":true,\"bytes\":13,\"state\":\"passed\"}\n";
    const auto sends = [](const std::string& text, bool whole) {
      return [text, whole](const http::Request&) {
        http::Answer answer;
        answer.stream = [text, whole](http::StreamWriter& out) { return out.write(text) && whole; };
        return answer;
      };
    };
    // Torn in the middle of the second record; the worker's own end is not the log's.
    admin_.log_answers = {sends(one + two.substr(0, 20), false), sends("{\"alive\":true}\n" + two + end, true),
                          sends(end, true)};
    admin_.builds = {buildJson("running", 0), buildJson("running", 0), buildJson("running", 0),
                     buildJson("passed", 13)};
    cli::LogQuery query;
    query.follow = true;
    query.as_records = true;
    std::string got;
    admin_.client().log("b", query, [&](std::string_view bytes) {
      got += bytes;
      return true;
    });
    CPPUNIT_ASSERT_EQUAL(one + two + end, got);
    CPPUNIT_ASSERT_EQUAL(std::string("offset=6&follow=true&format=ndjson"), admin_.logQueries().at(1));
    CPPUNIT_ASSERT_EQUAL(std::string("offset=13&follow=true&format=ndjson"), admin_.logQueries().at(2));
  }

  void aReaderThatLeavesEndsIt() {
    admin_.log_answers = {FakeAdmin::sends(longLog())};
    admin_.builds = {buildJson("running", 0)};
    cli::LogQuery query;
    query.follow = true;
    int calls = 0;
    admin_.client().log("b", query, [&](std::string_view) { return ++calls < 1; });
    CPPUNIT_ASSERT_EQUAL(1, calls);
  }

  void anInterruptLeavesTheBuildAndIsNoSuccess() {
    admin_.builds = {buildJson("running", 0)};
    admin_.log_answers = {FakeAdmin::sends("")};
    const test::TempFolder folder;
    const std::string said = folder.path + "/said";
    const pid_t follower = ::fork();
    if (follower == 0) {
      ::dup2(::open(said.c_str(), O_WRONLY | O_CREAT, 0600), 2);
      auto server = admin_.client();
      ::_exit(cli::followBuild(server, "b", false));
    }
    // By then it has been told to leave the build alone.
    for (int i = 0; i < 30000 && admin_.logQueries().empty(); ++i) ::poll(nullptr, 0, 1);
    ::kill(follower, SIGINT);
    int status = 0;
    ::waitpid(follower, &status, 0);
    CPPUNIT_ASSERT_MESSAGE("a shell goes on after `ocelot build && …`", WIFSIGNALED(status));
    CPPUNIT_ASSERT_EQUAL(SIGINT, WTERMSIG(status));
    const std::string text = test::readText(said);
    CPPUNIT_ASSERT_MESSAGE(text,
                           test::contains(text, "Come back with `ocelot logs -f 7`; end it with `ocelot kill 7`"));
  }

  void aRefusalIsToldWithItsHint() {
    admin_.builds = {buildJson("running", 0)};
    const test::Person person;
    ::setenv("OCELOT_URL", admin_.url().c_str(), 1);
    ::setenv("OCELOT_TOKEN", "oct_test", 1);
    const auto refused = test::ocelot({"kill", "7"});
    CPPUNIT_ASSERT_EQUAL(2, refused.status);
    CPPUNIT_ASSERT(
        test::contains(refused.err, "error: this token may only look\nhint:  ask for one with role operator"));
    ::setenv("OCELOT_TOKEN", "oct_wrong", 1);
    const auto unknown = test::ocelot({"status", "7"});
    CPPUNIT_ASSERT_EQUAL(2, unknown.status);
    CPPUNIT_ASSERT(test::contains(unknown.err, "does not know this token"));
    ::unsetenv("OCELOT_TOKEN");
    CPPUNIT_ASSERT(test::contains(test::ocelot({"status", "7"}).err, "hint:  set OCELOT_TOKEN, or `ocelot login "));
    ::setenv("OCELOT_TOKEN", "oct_wrong", 1);
    ::setenv("OCELOT_URL", "http://127.0.0.1:9", 1);
    const auto away = test::ocelot({"status", "7"});
    CPPUNIT_ASSERT_EQUAL(2, away.status);
    CPPUNIT_ASSERT(test::contains(away.err, "`ocelot up` starts one here"));
    ::setenv("OCELOT_URL", ("https" + admin_.url().substr(4)).c_str(), 1);
    const auto plain = test::ocelot({"status", "7"});
    CPPUNIT_ASSERT_MESSAGE(plain.err,
                           test::contains(plain.err, "speaks no TLS") && test::contains(plain.err, "http://"));
  }

  void nobodysBuildIsEndedUnnamed() {
    const test::Person person;
    ::setenv("OCELOT_URL", admin_.url().c_str(), 1);
    ::setenv("OCELOT_TOKEN", "oct_test", 1);
    for (const char* command : {"kill", "rerun"}) {
      const auto ran = test::ocelot({command});
      CPPUNIT_ASSERT_EQUAL(2, ran.status);
      CPPUNIT_ASSERT_MESSAGE(ran.err, test::contains(ran.err, "name the build"));
    }
  }

  void theExitStatusIsTheBuilds() {
    const test::Person person;
    ::setenv("OCELOT_URL", admin_.url().c_str(), 1);
    ::setenv("OCELOT_TOKEN", "oct_test", 1);
    const std::pair<const char*, int> states[] = {{"passed", 0},   {"failed", 1},   {"timed_out", 1}, {"error", 2},
                                                  {"rejected", 2}, {"canceled", 3}, {"running", 0}};
    for (const auto& [state, status] : states) {
      admin_.builds = {buildJson(state, 0)};
      CPPUNIT_ASSERT_EQUAL_MESSAGE(state, status, test::ocelot({"status", "7"}).status);
    }
    admin_.log_answers = {FakeAdmin::sends("hello\n")};
    admin_.builds = {buildJson("failed", 6)};
    const auto ran = test::ocelot({"logs", "-f", "7"});
    CPPUNIT_ASSERT_EQUAL(1, ran.status);
    CPPUNIT_ASSERT_EQUAL(std::string("hello\n"), ran.out);
    for (const auto& [attempt, why] :
         {std::pair{2, "its worker was lost; attempt 2 begins"}, std::pair{1, "gave it back; attempt 1 begins"}}) {
      admin_.reset();
      admin_.log_answers = {FakeAdmin::sends("hello\n", 3), FakeAdmin::sends("hello\n")};
      admin_.builds = {buildJson("running", 0, 1, 1), buildJson("running", 0, 1, 1), buildJson("running", 0, 1, 1),
                       buildJson("running", 0, attempt, 2), buildJson("passed", 6, attempt, 2)};
      const auto again = test::ocelot({"logs", "-f", "7"});
      CPPUNIT_ASSERT_MESSAGE(again.err, test::contains(again.err, why));
    }
    admin_.builds = {buildJson("failed", 6)};
    const auto parsed = test::ocelot({"status", "7", "--json"});
    CPPUNIT_ASSERT(test::contains(parsed.out, "\"state\": \"failed\""));
  }

 private:
  std::string followed() {
    cli::LogQuery query;
    query.follow = true;
    std::string got;
    admin_.client().log("b", query, [&got](std::string_view bytes) {
      got += bytes;
      return true;
    });
    return got;
  }
  FakeAdmin admin_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(FollowTest);
