// A worker's live log through admin: from a worker that is slow, dies, is not there, or sends something else.

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>

#include "host/logs/formats.hpp"
#include "host/ticket/ticket.hpp"
#include "tests/support/loopback.hpp"
#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using logserve::Query;
using model::BuildState;

std::string numbered(int lines) {
  std::string log;
  for (int line = 0; line < lines; ++line) log += "line " + std::to_string(line) + " \xc3\xa4\"\\\x1b[0m\n";
  return log;
}

// The log from `offset` on in the query's format, as a worker tells it that goes no further than `log` does.
std::string toldBy(const std::string& log, const Query& query, bool whole) {
  const auto encoder = logs::makeEncoder(query.format, query.offset);
  std::string text;
  encoder->encode(std::string_view(log).substr(static_cast<std::size_t>(query.offset)), text);
  encoder->flush(text);
  if (whole) encoder->finish(static_cast<std::int64_t>(log.size()), "", text);
  return text;
}

// A worker's log server, of which a test says what each connection gets.
class FakeWorker {
 public:
  using Answers = std::function<http::Answer(const Query&, int call)>;
  explicit FakeWorker(Answers answers) : answers_(std::move(answers)) {
    http::Routes routes;
    routes.get("/v1/builds/{id}/log", http::Role::none, [this](const http::Request& request) {
      const auto query = logserve::queryOf(request);
      const std::lock_guard guard(mutex_);
      tickets.push_back(request.queryText("ticket"));
      queries.push_back(query);
      return answers_(query, static_cast<int>(queries.size()));
    });
    server_ = std::make_unique<http::Server>(http::ServerSettings{}, std::move(routes), nullptr);
  }
  std::string url() const { return server_->url(); }
  int calls() {
    const std::lock_guard guard(mutex_);
    return static_cast<int>(queries.size());
  }

  static http::Answer head(const Query& query) {
    auto out = logserve::headFor(query);
    logserve::beginsAt(out, query.offset);
    return out;
  }
  static http::Answer sends(const Query& query, const std::string& text, bool whole = true) {
    auto out = head(query);
    out.stream = [text, whole](http::StreamWriter& writer) { return writer.write(text) && whole; };
    return out;
  }

  std::vector<std::string> tickets;
  std::vector<Query> queries;

 private:
  std::mutex mutex_;
  const Answers answers_;
  std::unique_ptr<http::Server> server_;
};

int connectTo(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  CPPUNIT_ASSERT_EQUAL(0, ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
  return fd;
}

// A register in which everybody writes what he likes.
class OpenRegister final : public discovery::Discovery {
 public:
  void announce(const discovery::Worker&) override {}
  void withdraw(const std::string&) override {}
  std::vector<discovery::Worker> workers() override { return all; }
  std::optional<discovery::Worker> find(const std::string&) override { return std::nullopt; }
  void running(const std::string&, const std::vector<std::string>&) override {}
  std::string whyAway() override { return ""; }
  std::vector<discovery::Worker> all;
};

class RelayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RelayTest);
  CPPUNIT_TEST(whatTheWorkerSaysIsThereBeforeTheStoreHasIt);
  CPPUNIT_TEST(aWorkerThatKeepsDyingCostsNoByteAndDoublesNone);
  CPPUNIT_TEST(recordsAreWholeWhereverAWorkerDies);
  CPPUNIT_TEST(aWorkerThatIsNotThereLeavesTheStore);
  CPPUNIT_TEST(whatIsNoLogIsNotPassedOn);
  CPPUNIT_TEST(brokenRecordsEndWhereTheyBreak);
  CPPUNIT_TEST(anOffsetAheadOfTheStoreIsTheWorkersToJudge);
  CPPUNIT_TEST(aTailAndAStageBeginWhereTheWorkerSays);
  CPPUNIT_TEST(aFollowerThatLeavesIsMissedAtTheWorker);
  CPPUNIT_TEST(aReaderThatStandsStillHoldsUpNobodyElse);
  CPPUNIT_TEST(thoseBeyondTheLimitReadTheStore);
  CPPUNIT_TEST(aBuildThatBeginsAgainEndsTheAnswer);
  CPPUNIT_TEST(aSilentWorkerIsLeftWhenTheStoreHasMore);
  CPPUNIT_TEST(aBuildThatWaitsIsFollowedFromItsFirstByte);
  CPPUNIT_TEST(withTlsNoTicketGoesOutInTheClear);
  CPPUNIT_TEST(aTicketIsForTheWorkerThatTheStoreKnows);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<ApiScene> scene_;
  store::Claim claim_;

  void begin(const std::string& yaml = "") {
    scene_.reset();
    scene_ = std::make_unique<ApiScene>(yaml);
    claim_ = scene_->running();
  }
  void announce(const std::string& url) {
    scene_->engines.discovery->announce({"worker-1", "alpha", url, {}, 1, "0", "", 1, 0});
  }
  void append(std::int64_t at, const std::string& bytes) { scene_->store().appendLog(claim_, at, bytes); }
  void finish(const std::string& log, std::int64_t stored = 0, BuildState state = BuildState::passed) {
    store::Finish finish;
    finish.claim = claim_;
    finish.outcome = {state, "", "it ended"};
    finish.tail_offset = stored;
    finish.tail = log.substr(static_cast<std::size_t>(stored));
    finish.log_bytes = static_cast<std::int64_t>(log.size());
    CPPUNIT_ASSERT(scene_->store().finish(finish));
  }
  std::uint64_t troubles(const std::string& why) {
    return scene_->metrics
        .counter("ocelot_log_relay_troubles_total", "Times that a follower went on from the store", {{"why", why}})
        .value();
  }
  std::int64_t relays() {
    return scene_->metrics.gauge("ocelot_log_relays", "Followers that read a worker's log through this admin").value();
  }

  // Reads to the end; `seen` hears of all that has come so far, and says whether to go on.
  std::string follow(const std::string& query, const std::function<bool(const std::string&)>& seen = {},
                     HttpAnswer* head_of = nullptr) {
    http::ClientSettings settings;
    settings.url = scene_->server->url();
    settings.token = scene_->viewer;
    http::Client client(settings);
    HttpRequest request;
    request.url = "/v1/builds/1/log?via=admin" + query;
    SimpleCall call(std::chrono::milliseconds(30000));
    std::string text;
    bool stopped = false;
    const bool whole = client.stream(
        call, request,
        [&](const HttpAnswer& head) {
          if (head_of) *head_of = head;
          return head.status == 200;
        },
        [&](std::string_view bytes) {
          text += bytes;
          stopped = seen && !seen(text);
          return !stopped;
        });
    CPPUNIT_ASSERT(whole || stopped);
    return text;
  }

 public:
  void setUp() override { begin(); }
  void tearDown() override { scene_.reset(); }

  void whatTheWorkerSaysIsThereBeforeTheStoreHasIt() {
    std::atomic<bool> go_on{false};
    FakeWorker worker([&](const Query& query, int) {
      auto out = FakeWorker::head(query);
      out.stream = [&go_on, query](http::StreamWriter& writer) {
        if (!writer.write("first\n")) return false;
        while (!go_on)
          if (!writer.wait(std::chrono::milliseconds(5))) return false;
        return writer.write("second\n");
      };
      return out;
    });
    announce(worker.url());
    bool begun = false;
    const std::string seen = follow("&follow", [&](const std::string& text) {
      if (!begun && text == "first\n") {
        begun = true;
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, scene_->store().findBuild("1")->log_bytes);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, relays());
        go_on = true;
      }
      if (text == "first\nsecond\n") finish("first\nsecond\nthird, from the store\n");
      return true;
    });
    CPPUNIT_ASSERT_EQUAL(std::string("first\nsecond\nthird, from the store\n"), seen);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("complete is complete", 1, worker.calls());
    waitUntil("the relay has ended", [&] { return relays() == 0; });
    ticket::Gate gate(scene_->api.ticket_key().value());
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    CPPUNIT_ASSERT(gate.admit(worker.tickets.at(0), now.count()).value().build_id == claim_.build_id);
  }

  void aWorkerThatKeepsDyingCostsNoByteAndDoublesNone() {
    const std::string log = numbered(400);
    FakeWorker worker([&](const Query& query, int call) {
      const bool last = call > 20;
      const auto text = toldBy(log, query, last);
      return FakeWorker::sends(query, last ? text : text.substr(0, 331), last);
    });
    announce(worker.url());
    append(0, log.substr(0, 3000));
    const std::string seen = follow("&follow", [&](const std::string& text) {
      if (text.size() == log.size()) finish(log, 3000);
      return true;
    });
    CPPUNIT_ASSERT_EQUAL(log, seen);
    CPPUNIT_ASSERT(troubles("cut") >= 1);
  }

  void recordsAreWholeWhereverAWorkerDies() {
    const std::string log = numbered(300);
    for (const char* format : {"ndjson", "sse"}) {
      begin();
      FakeWorker worker([&](const Query& query, int call) {
        const auto text = toldBy(log, query, true);
        return FakeWorker::sends(query, call > 20 ? text : text.substr(0, 617), call > 20);
      });
      announce(worker.url());
      append(0, log.substr(0, 4001));
      bool ended = false;
      const std::string seen = follow(std::string("&follow&format=") + format, [&](const std::string& text) {
        const std::string all = "\"next\":" + std::to_string(log.size());
        if (!ended && text.find(all) != std::string::npos) finish(log, 4001, BuildState::failed);
        ended = ended || text.find(all) != std::string::npos;
        return true;
      });
      const auto passage =
          logs::makePassage(std::string(format) == "sse" ? logs::Format::sse : logs::Format::ndjson, 0);
      std::string passed;
      CPPUNIT_ASSERT_MESSAGE(seen, passage->take(seen, passed));
      CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(log.size()), passage->told());
      const std::string end = "{\"end\":true,\"bytes\":" + std::to_string(log.size()) + ",\"state\":\"failed\"}";
      CPPUNIT_ASSERT_MESSAGE(seen, seen.find(end) != std::string::npos);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("one end", seen.find("\"end\":true"), seen.rfind("\"end\":true"));
    }
  }

  void aWorkerThatIsNotThereLeavesTheStore() {
    const Loopback nobody(Loopback::Listens::no);
    announce("http://" + nobody.address());
    append(0, "stored\n");
    CPPUNIT_ASSERT_EQUAL(std::string("stored\n"), follow(""));
    CPPUNIT_ASSERT(troubles("unreachable") >= 1);
  }

  void whatIsNoLogIsNotPassedOn() {
    struct Case {
      const char* name;
      std::function<http::Answer(const Query&)> answer;
    };
    const Case cases[] = {
        {"no offset",
         [](const Query& query) {
           auto out = logserve::headFor(query);
           out.stream = [](http::StreamWriter& writer) { return writer.write("admin's own secrets"); };
           return out;
         }},
        {"another offset",
         [](const Query& query) {
           auto out = logserve::headFor(query);
           logserve::beginsAt(out, query.offset + 1);
           out.stream = [](http::StreamWriter& writer) { return writer.write("shifted"); };
           return out;
         }},
        {"another type",
         [](const Query& query) {
           auto out = FakeWorker::sends(query, "<html>");
           out.content_type = "text/html";
           return out;
         }},
        {"a redirect", [](const Query&) { return http::redirect("http://127.0.0.1:1/"); }},
        {"a refusal", [](const Query&) { return http::failure(503, "busy", "too many"); }},
    };
    for (const auto& one : cases) {
      begin();
      FakeWorker worker([&](const Query& query, int) { return one.answer(query); });
      announce(worker.url());
      append(0, "stored\n");
      HttpAnswer head;
      const std::string seen = follow(
          "&follow",
          [&](const std::string& text) {
            if (text == "stored\n") finish("stored\nend\n", 7);
            return true;
          },
          &head);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(one.name, std::string("stored\nend\n"), seen);
      CPPUNIT_ASSERT_EQUAL(std::string("0"), http::headerOf(head, "Ocelot-Log-Offset"));
      CPPUNIT_ASSERT_MESSAGE(one.name, troubles("garbage") + troubles("refused") >= 1);
    }
  }

  void brokenRecordsEndWhereTheyBreak() {
    const std::string good = "{\"offset\":0,\"next\":4,\"text\":\"one\"}\n";
    for (const std::string& bad :
         {std::string("no record\n"), std::string("{\"offset\":9,\"next\":12,\"text\":\"xx\"}\n"),
          std::string("{\"offset\":4,\"next\":4,\"text\":\"\"}\n"),
          std::string("{\"offset\":4,\"next\":99999999,\"text\":\"\"}\n"), std::string(1 << 20, 'x')}) {
      begin();
      FakeWorker worker([&](const Query& query, int) { return FakeWorker::sends(query, good + bad + good); });
      announce(worker.url());
      const std::string seen = follow("&follow&format=ndjson", [&](const std::string& text) {
        if (text == good) finish("one\ntwo\n");
        return true;
      });
      CPPUNIT_ASSERT_EQUAL(
          good + "{\"offset\":4,\"next\":8,\"text\":\"two\"}\n{\"end\":true,\"bytes\":8,\"state\":\"passed\"}\n", seen);
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, troubles("garbage"));
    }
  }

  void anOffsetAheadOfTheStoreIsTheWorkersToJudge() {
    FakeWorker worker([](const Query& query, int) {
      if (query.offset > 10) return http::failure(416, "beyond_the_end", "no such byte");
      return FakeWorker::sends(query, std::string("0123456789").substr(static_cast<std::size_t>(query.offset)));
    });
    announce(worker.url());
    append(0, "0123");
    CPPUNIT_ASSERT_EQUAL(std::string("6789"), follow("&offset=6"));
    assertRefused(416, "beyond_the_end", scene_->send("GET", "/v1/builds/1/log?via=admin&offset=11"));
  }

  void aTailAndAStageBeginWhereTheWorkerSays() {
    FakeWorker worker([](const Query& query, int) {
      auto out = logserve::headFor(query);
      logserve::beginsAt(out, 40);
      out.stream = [](http::StreamWriter& writer) { return writer.write("the last\n"); };
      return out;
    });
    announce(worker.url());
    HttpAnswer head;
    CPPUNIT_ASSERT_EQUAL(std::string("the last\n"), follow("&tail=1", {}, &head));
    CPPUNIT_ASSERT_EQUAL(std::string("40"), http::headerOf(head, "Ocelot-Log-Offset"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, worker.queries.at(0).tail);
    CPPUNIT_ASSERT_EQUAL(std::string("the last\n"), follow("&follow&stage=two%20words", {}, &head));
    CPPUNIT_ASSERT_EQUAL(std::string("40"), http::headerOf(head, "Ocelot-Log-Offset"));
    CPPUNIT_ASSERT_EQUAL(std::string("two words"), worker.queries.at(1).stage);
  }

  void aFollowerThatLeavesIsMissedAtTheWorker() {
    std::atomic<bool> left{false};
    FakeWorker worker([&](const Query& query, int) {
      auto out = FakeWorker::head(query);
      out.stream = [&left](http::StreamWriter& writer) {
        writer.write("here\n");
        while (writer.wait(std::chrono::milliseconds(60000))) {
        }
        left = true;
        return false;
      };
      return out;
    });
    announce(worker.url());
    CPPUNIT_ASSERT_EQUAL(std::string("here\n"), follow("&follow", [](const std::string&) { return false; }));
    waitUntil("the worker misses it", [&] { return left.load(); });
    waitUntil("the relay has ended", [&] { return relays() == 0; });
  }

  void aReaderThatStandsStillHoldsUpNobodyElse() {
    constexpr std::int64_t kLong = 64 << 20;
    std::atomic<std::int64_t> sent_to_first{0};
    FakeWorker worker([&](const Query& query, int call) {
      auto out = FakeWorker::head(query);
      out.stream = [&sent_to_first, call, begin = query.offset](http::StreamWriter& writer) {
        const std::string block(64 << 10, 'x');
        for (std::int64_t at = begin; at < kLong; at += static_cast<std::int64_t>(block.size())) {
          if (!writer.write(block)) return false;
          if (call == 1) sent_to_first += static_cast<std::int64_t>(block.size());
        }
        return true;
      };
      return out;
    });
    announce(worker.url());
    const int lazy = connectTo(scene_->server->port());
    const std::string request =
        "GET /v1/builds/1/log?via=admin HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + scene_->viewer + "\r\n\r\n";
    CPPUNIT_ASSERT_EQUAL(static_cast<ssize_t>(request.size()), ::write(lazy, request.data(), request.size()));
    waitUntil("its relay has begun", [&] { return sent_to_first > 0; });
    CPPUNIT_ASSERT_EQUAL(static_cast<std::size_t>(kLong), follow("").size());
    const auto held = sent_to_first.load();
    CPPUNIT_ASSERT_MESSAGE(std::to_string(held), held < kLong / 2);
    ::close(lazy);
    waitUntil("the relay has ended", [&] { return relays() == 0; });
  }

  void thoseBeyondTheLimitReadTheStore() {
    begin("admin: {log_relays: 1}");
    FakeWorker worker([&](const Query& query, int) {
      auto out = FakeWorker::head(query);
      out.stream = [](http::StreamWriter& writer) {
        writer.write("live\n");
        while (writer.wait(std::chrono::milliseconds(60000))) {
        }
        return false;
      };
      return out;
    });
    announce(worker.url());
    append(0, "store\n");
    follow("&follow", [&](const std::string& live) {
      CPPUNIT_ASSERT_EQUAL(std::string("live\n"), live);
      CPPUNIT_ASSERT_EQUAL(std::string("store\n"), follow(""));
      CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, troubles("full"));
      return false;
    });
    begin("admin: {log_relays: 0}");
    announce(worker.url());
    append(0, "store\n");
    CPPUNIT_ASSERT_EQUAL(std::string("store\n"), follow(""));
    CPPUNIT_ASSERT_EQUAL(1, worker.calls());
  }

  void aBuildThatBeginsAgainEndsTheAnswer() {
    FakeWorker worker([](const Query& query, int call) {
      if (call > 1) return http::failure(404, "not_here", "this build does not run here any more");
      return FakeWorker::sends(query, "first run\n", false);
    });
    announce(worker.url());
    const std::string seen = follow("&follow&format=plain", [&](const std::string&) {
      scene_->store().release(claim_, "the worker was stopped");
      claim_ = scene_->store().claim("worker-2", {}, 30000).value().claim;
      append(0, "the second run, of which there is more already\n");
      return true;
    });
    CPPUNIT_ASSERT_EQUAL(std::string("first run\n"), seen);
  }

  void aSilentWorkerIsLeftWhenTheStoreHasMore() {
    FakeWorker worker([](const Query& query, int call) {
      auto out = FakeWorker::head(query);
      out.stream = [call](http::StreamWriter& writer) {
        if (call == 1) writer.write("one\n");
        while (writer.wait(std::chrono::milliseconds(60000))) {
        }
        return false;
      };
      return out;
    });
    announce(worker.url());
    const std::string seen = follow("&follow", [&](const std::string& text) {
      if (text == "one\n") append(0, "one\ntwo\n");
      if (text == "one\ntwo\n") {
        announce("");
        finish("one\ntwo\nthree\n", 8);
      }
      return true;
    });
    CPPUNIT_ASSERT_EQUAL(std::string("one\ntwo\nthree\n"), seen);
  }

  void aBuildThatWaitsIsFollowedFromItsFirstByte() {
    scene_.reset();
    scene_ = std::make_unique<ApiScene>();
    scene_->queued();
    FakeWorker worker([](const Query& query, int) { return FakeWorker::sends(query, "live\n"); });
    announce(worker.url());
    std::thread later([&] {
      waitUntil("it is followed", [&] { return scene_->server->load().streams == 1; });
      claim_ = scene_->store().claim("worker-1", {}, 30000).value().claim;
    });
    const std::string seen = follow("&follow", [&](const std::string& text) {
      if (text == "live\n") finish("live\n");
      return true;
    });
    later.join();
    CPPUNIT_ASSERT_EQUAL(std::string("live\n"), seen);
  }

  void withTlsNoTicketGoesOutInTheClear() {
    FakeWorker worker([](const Query& query, int) { return FakeWorker::sends(query, "live\n"); });
    announce(worker.url());
    auto settings = admin::RelaySettings();
    settings.tls_only = true;
    admin::LogRelay relay(settings, scene_->store(), *scene_->engines.discovery, scene_->api.ticket_key,
                          scene_->metrics);
    auto answer = relay.answer(Query{}, claim_.build_id);
    answer.prepare(answer);
    CPPUNIT_ASSERT_EQUAL(0, worker.calls());
  }

  void aTicketIsForTheWorkerThatTheStoreKnows() {
    OpenRegister everybody;
    admin::LogRelay relay({}, scene_->store(), everybody, scene_->api.ticket_key, scene_->metrics);
    const auto build = scene_->store().findBuild("1").value();
    everybody.all = {{"worker-1", "a thief", "http://thief:1", {}, 1, "0", "", 1, 0}};
    CPPUNIT_ASSERT_EQUAL_MESSAGE("nothing else is known", std::string("http://thief:1"), relay.placeOf(build));
    announce("http://worker:7701");
    CPPUNIT_ASSERT_EQUAL(std::string(), relay.placeOf(build));
    everybody.all.push_back({"worker-1", "alpha", "http://worker:7701", {}, 1, "0", "", 1, 0});
    CPPUNIT_ASSERT_EQUAL(std::string("http://worker:7701"), relay.placeOf(build));
    scene_->sql("UPDATE workers SET seen_at = seen_at - 16000000");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a program of before, that tells Consul alone", std::string("http://thief:1"),
                                 relay.placeOf(build));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RelayTest);

}  // namespace
