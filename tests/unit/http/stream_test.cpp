#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "host/http/server.hpp"
#include "tests/unit/http/fixture.hpp"

using namespace ocelot::http;
using namespace ocelot::http::test;
using std::chrono::milliseconds;

namespace {

// What a stream's handler was told at its end.
struct Ending {
  Gate gate;
  std::atomic<bool> refused{false}, draining{false};
};

// Writes "tick\n" until it is told to stop.
Routes ticking(Ending& ending, Role role = Role::none) {
  Routes routes = someRoutes();
  routes.get("/follow", role, [&ending](const Request&) {
    Answer answer;
    answer.content_type = "text/event-stream";
    answer.heartbeat = ": ping\n\n";
    answer.stream = [&ending](StreamWriter& out) {
      out.write("tick\n");
      while (out.wait(milliseconds(60000))) {
      }
      ending.refused = !out.write("last\n");
      ending.draining = out.draining();
      ending.gate.open();
      return false;
    };
    return answer;
  });
  return routes;
}

std::string dechunked(const std::string& answer) {
  std::string body, rest = bodyOf(answer);
  while (!rest.empty()) {
    const auto line = rest.find("\r\n");
    const auto size = std::stoul(rest.substr(0, line), nullptr, 16);
    if (size == 0) return body + "|end";
    body += rest.substr(line + 2, size);
    rest.erase(0, line + 2 + size + 2);
  }
  return body;
}

}  // namespace

class StreamTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StreamTest);
  CPPUNIT_TEST(aStreamComesInChunksWithItsEnd);
  CPPUNIT_TEST(aFailedStreamHasNoEnd);
  CPPUNIT_TEST(streamsDoNotStarveRequests);
  CPPUNIT_TEST(tooManyStreamsAreRefused);
  CPPUNIT_TEST(aReaderThatLeavesIsNoticed);
  CPPUNIT_TEST(aReaderThatStopsIsCut);
  CPPUNIT_TEST(silenceIsFilledWithHeartbeats);
  CPPUNIT_TEST(waitingEndsWhenThereIsSomethingToRead);
  CPPUNIT_TEST(drainingEndsStreams);
  CPPUNIT_TEST(aRevokedTokenEndsItsStream);
  CPPUNIT_TEST(oldClientsGetTheBytesAlone);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aStreamComesInChunksWithItsEnd() {
    Routes routes;
    routes.get("/log", Role::none, [](const Request&) {
      Answer answer = text("ignored");
      answer.stream = [](StreamWriter& out) {
        out.write("one ");
        out.write("");
        out.write(std::string(100000, 'x'));
        return true;
      };
      return answer;
    });
    const Server server({}, std::move(routes), nullptr);
    const std::string answer = exchange(server.port(), get("/log"));
    CPPUNIT_ASSERT(answer.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CPPUNIT_ASSERT(answer.find("Content-Length") == std::string::npos);
    CPPUNIT_ASSERT(answer.find("X-Accel-Buffering: no\r\n") != std::string::npos);
    CPPUNIT_ASSERT(dechunked(answer) == "one " + std::string(100000, 'x') + "|end");
    CPPUNIT_ASSERT_EQUAL(std::string(),
                         bodyOf(exchange(server.port(), "HEAD /log HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")));
  }

  void aFailedStreamHasNoEnd() {
    Routes routes;
    routes.get("/log", Role::none, [](const Request&) {
      Answer answer = text("");
      answer.stream = [](StreamWriter& out) -> bool {
        out.write("half");
        throw std::runtime_error("the segment is gone");
      };
      return answer;
    });
    const Server server({}, std::move(routes), nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("half"), dechunked(exchange(server.port(), get("/log"))));
  }

  void streamsDoNotStarveRequests() {
    Ending ending;
    ServerSettings settings;
    settings.threads = 2;
    const Server server(settings, ticking(ending), nullptr);
    std::vector<std::unique_ptr<Raw>> followers;
    for (int i = 0; i < 30; ++i) {
      followers.push_back(std::make_unique<Raw>(server.port()));
      followers.back()->send(get("/follow"));
      followers.back()->readUntil("tick\n");
    }
    CPPUNIT_ASSERT_EQUAL(30, server.load().streams);
    CPPUNIT_ASSERT_EQUAL(std::string("good"), bodyOf(exchange(server.port(), get("/echo/good"))));
  }

  void tooManyStreamsAreRefused() {
    Ending ending;
    ServerSettings settings;
    settings.max_streams = 1;
    const Server server(settings, ticking(ending), nullptr);
    Raw first(server.port());
    first.send(get("/follow")).readUntil("tick\n");
    const std::string second = exchange(server.port(), get("/follow"));
    CPPUNIT_ASSERT_EQUAL(503, statusOf(second));
    CPPUNIT_ASSERT(second.find("Retry-After: 5\r\n") != std::string::npos);
    first.close();
    ending.gate.pass();
    while (server.load().streams > 0) std::this_thread::yield();
    Raw third(server.port());
    third.send(get("/follow")).readUntil("tick\n");
  }

  void aReaderThatLeavesIsNoticed() {
    Ending ending;
    const Server server({}, ticking(ending), nullptr);
    {
      Raw raw(server.port());
      raw.send(get("/follow")).readUntil("tick\n");
    }
    ending.gate.pass();  // at once, though nothing is written
    CPPUNIT_ASSERT(ending.refused);
    CPPUNIT_ASSERT(!ending.draining);
  }

  void aReaderThatStopsIsCut() {
    Gate gate;
    Routes routes;
    routes.get("/flood", Role::none, [&](const Request&) {
      Answer answer = text("");
      answer.stream = [&](StreamWriter& out) {
        const std::string block(65536, 'x');
        while (out.write(block)) {
        }
        gate.open();
        return false;
      };
      return answer;
    });
    ServerSettings settings;
    settings.stream_timeout = milliseconds(300);
    const Server server(settings, std::move(routes), nullptr);
    Raw raw(server.port());
    raw.send(get("/flood"));
    gate.pass();
  }

  void silenceIsFilledWithHeartbeats() {
    Ending ending;
    ServerSettings settings;
    settings.heartbeat = milliseconds(50);
    const Server server(settings, ticking(ending), nullptr);
    Raw raw(server.port());
    raw.send(get("/follow")).readUntil(": ping\n\n");
    raw.readUntil(": ping\n\n");
  }

  void waitingEndsWhenThereIsSomethingToRead() {
    int ends[2];
    CPPUNIT_ASSERT_EQUAL(0, ::pipe(ends));
    Routes routes;
    routes.get("/follow", Role::none, [&](const Request&) {
      Answer answer = text("");
      answer.stream = [&](StreamWriter& out) {
        out.write("first\n");
        if (!out.wait(milliseconds(60000), ends[0])) return false;
        return out.write("second\n");
      };
      return answer;
    });
    const Server server({}, std::move(routes), nullptr);
    Raw raw(server.port());
    raw.send(get("/follow")).readUntil("first\n");
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, ::write(ends[1], "x", 1));
    raw.readUntil("second\n");
    ::close(ends[0]);
    ::close(ends[1]);
  }

  void drainingEndsStreams() {
    Ending ending;
    Server server({}, ticking(ending), nullptr);
    Raw raw(server.port());
    raw.send(get("/follow")).readUntil("tick\n");
    server.drain(milliseconds(20000));
    ending.gate.pass();
    CPPUNIT_ASSERT(ending.draining);
    const std::string rest = raw.readAll();
    CPPUNIT_ASSERT(rest.find("last\n") != std::string::npos);
    CPPUNIT_ASSERT(rest.find("0\r\n\r\n") == std::string::npos);  // not the end: go on elsewhere
  }

  void aRevokedTokenEndsItsStream() {
    Ending ending;
    std::atomic<bool> revoked{false};
    ServerSettings settings;
    settings.recheck = milliseconds(20);
    const Server server(settings, ticking(ending, Role::viewer),
                        [&](const Request& request, const std::string& token) -> std::optional<Identity> {
                          return revoked ? std::nullopt : someTokens(request, token);
                        });
    Raw raw(server.port());
    raw.send(get("/follow", "Authorization: Bearer viewer\r\n")).readUntil("tick\n");
    revoked = true;
    ending.gate.pass();
    CPPUNIT_ASSERT(raw.readAll().find("last") == std::string::npos);
  }

  void oldClientsGetTheBytesAlone() {
    Routes routes;
    routes.get("/log", Role::none, [](const Request&) {
      Answer answer = text("");
      answer.stream = [](StreamWriter& out) { return out.write("one") && out.write("two"); };
      return answer;
    });
    const Server server({}, std::move(routes), nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("onetwo"), bodyOf(exchange(server.port(), "GET /log HTTP/1.0\r\n\r\n")));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StreamTest);
