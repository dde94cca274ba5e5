#include "host/http/server.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "host/http/limiter.hpp"
#include "host/http/match.hpp"
#include "tests/unit/http/fixture.hpp"

using namespace ocelot::http;
using namespace ocelot::http::test;
using std::chrono::milliseconds;

namespace {

ServerSettings fewThreads() {
  ServerSettings settings;
  settings.threads = 2;
  return settings;
}

std::string post(const std::string& headers, const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

milliseconds took(const std::function<void()>& what) {
  const auto began = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
}

}  // namespace

class ServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerTest);
  CPPUNIT_TEST(routesAreFound);
  CPPUNIT_TEST(theMoreLiteralRouteWins);
  CPPUNIT_TEST(badPatternsAreRefused);
  CPPUNIT_TEST(answersCarryTheSafeHeaders);
  CPPUNIT_TEST(pathsAreDecodedPerSegment);
  CPPUNIT_TEST(badHeadsGetAnAnswerAndAClose);
  CPPUNIT_TEST(bodiesComeWhole);
  CPPUNIT_TEST(anUnreadBodyIsNeverTheNextRequest);
  CPPUNIT_TEST(largeBodiesAreRefusedBeforeTheyAreRead);
  CPPUNIT_TEST(pipelinedRequestsAreAnsweredInOrder);
  CPPUNIT_TEST(expectationsAreMet);
  CPPUNIT_TEST(tokensAndRoles);
  CPPUNIT_TEST(wrongTokensAreLimitedAndRightOnesPass);
  CPPUNIT_TEST(theLimiterIsBounded);
  CPPUNIT_TEST(whatHandlersThrowBecomesAnswers);
  CPPUNIT_TEST(headersOfHandlersCannotSplit);
  CPPUNIT_TEST(headHasNoBody);
  CPPUNIT_TEST(slowHeadsCostNoThread);
  CPPUNIT_TEST(slowBodiesCostNoThread);
  CPPUNIT_TEST(idleConnectionsCostNoThread);
  CPPUNIT_TEST(lateHeadsAndBodiesAreEnded);
  CPPUNIT_TEST(connectionsAreBounded);
  CPPUNIT_TEST(aFullServerMakesRoomForNewcomers);
  CPPUNIT_TEST(aSmallAnswerDoesNotWaitForAnAcknowledgement);
  CPPUNIT_TEST(drainFinishesRequests);
  CPPUNIT_TEST(drainCutsWhatTakesTooLong);
  CPPUNIT_TEST(unixSocketsAreServed);
  CPPUNIT_TEST(aTakenPortIsAnError);
  CPPUNIT_TEST_SUITE_END();

 public:
  void routesAreFound() {
    const Server server({}, someRoutes(), nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("world"), bodyOf(exchange(server.port(), get("/echo/world"))));
    const std::string missing = exchange(server.port(), get("/nowhere"));
    CPPUNIT_ASSERT_EQUAL(404, statusOf(missing));
    CPPUNIT_ASSERT_EQUAL(
        std::string("{\"error\":\"not_found\",\"message\":\"there is nothing at this path\",\"hint\":\"\"}\n"),
        bodyOf(missing));
    const std::string wrong =
        exchange(server.port(), "DELETE /echo/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(405, statusOf(wrong));
    CPPUNIT_ASSERT(wrong.find("Allow: GET\r\n") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(404, statusOf(exchange(server.port(), get("/echo//"))));
    CPPUNIT_ASSERT_EQUAL(404, statusOf(exchange(server.port(), get("/echo/"))));
    CPPUNIT_ASSERT_EQUAL(404, statusOf(exchange(server.port(), get("//echo/a"))));
    // No cross-origin answers: a preflight is nothing special here.
    CPPUNIT_ASSERT_EQUAL(405, statusOf(exchange(server.port(),
                                                "OPTIONS /echo/a HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\n"
                                                "Access-Control-Request-Method: GET\r\nConnection: close\r\n\r\n")));
  }

  void theMoreLiteralRouteWins() {
    const auto handler = [](const Request&) { return nothing(); };
    Routes routes;
    routes.get("/help/{page*}", Role::none, handler);
    routes.get("/b/{id}", Role::none, handler);
    routes.get("/b/{id}/log", Role::none, handler);
    routes.get("/b/latest", Role::none, handler);
    routes.get("/help/index", Role::none, handler);
    routes.get("/", Role::none, handler);
    const Matcher matcher(routes.all());
    const auto pattern = [&](const char* path) {
      const Match match = matcher.find("GET", path);
      return match.route ? match.route->pattern : "";
    };
    CPPUNIT_ASSERT_EQUAL(std::string("/b/latest"), pattern("/b/latest"));
    CPPUNIT_ASSERT_EQUAL(std::string("/b/{id}"), pattern("/b/7"));
    CPPUNIT_ASSERT_EQUAL(std::string("/b/{id}/log"), pattern("/b/latest/log"));
    CPPUNIT_ASSERT_EQUAL(std::string("/help/index"), pattern("/help/index"));
    CPPUNIT_ASSERT_EQUAL(std::string("/help/{page*}"), pattern("/help/a/b"));
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), matcher.find("GET", "/help/a/b").params.at("page"));
    CPPUNIT_ASSERT_EQUAL(std::string("/"), pattern("/"));
    CPPUNIT_ASSERT_EQUAL(std::string(""), pattern("/help"));
  }

  void badPatternsAreRefused() {
    const auto handler = [](const Request&) { return nothing(); };
    Routes routes;
    routes.get("/a/{id}", Role::none, handler);
    CPPUNIT_ASSERT_THROW(routes.get("/a/{other}", Role::none, handler), std::logic_error);
    CPPUNIT_ASSERT_THROW(routes.get("a", Role::none, handler), std::logic_error);
    CPPUNIT_ASSERT_THROW(routes.get("/a{id}", Role::none, handler), std::logic_error);
    CPPUNIT_ASSERT_THROW(routes.get("/{rest*}/x", Role::none, handler), std::logic_error);
    CPPUNIT_ASSERT_THROW(routes.add({"TRACE", "/x", Role::none, handler, 0}), std::logic_error);
  }

  void answersCarryTheSafeHeaders() {
    const Server server({}, someRoutes(), nullptr);
    const std::string answer = exchange(server.port(), get("/echo/%3Cscript%3E"));
    for (const char* header :
         {"X-Content-Type-Options: nosniff\r\n", "Content-Type: text/plain; charset=utf-8\r\n",
          "Cache-Control: no-store\r\n", "frame-ancestors 'none'", "Referrer-Policy: no-referrer\r\n"}) {
      CPPUNIT_ASSERT_MESSAGE(header, answer.find(header) != std::string::npos);
    }
    CPPUNIT_ASSERT(answer.find("Access-Control") == std::string::npos);
  }

  void pathsAreDecodedPerSegment() {
    const Server server({}, someRoutes(), nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("acme/tool"), bodyOf(exchange(server.port(), get("/echo/acme%2Ftool"))));
    CPPUNIT_ASSERT_EQUAL(std::string("a+b"), bodyOf(exchange(server.port(), get("/echo/a+b?x=%20"))));
    for (const char* path :
         {"/echo/%00", "/echo/%0d%0aX", "/echo/%zz", "/echo/..", "/echo/%2e%2e", "/./echo/a", "/echo/a?x=%0a"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(path, 400, statusOf(exchange(server.port(), get(path))));
    }
  }

  void badHeadsGetAnAnswerAndAClose() {
    const Server server({}, someRoutes(), nullptr);
    const std::pair<std::string, int> cases[] = {
        {"GET / HTTP/1.1\nHost: x\n\n", 400},
        {"nonsense", 0},
        {"nonsense\r\n\r\n", 400},
        {std::string("GET /\0 HTTP/1.1\r\n", 17), 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"\x16\x03\x01\x02\r\n\r\n", 400},  // a TLS greeting
        {"GET /" + std::string(20000, 'a'), 414},
        {"GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'a'), 431},
    };
    for (const auto& [bytes, status] : cases) {
      Raw raw(server.port());
      raw.send(bytes);
      raw.finishWriting();
      const std::string answer = raw.readAll();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(bytes.substr(0, 40), status, statusOf(answer));
      CPPUNIT_ASSERT(countOf(answer, "HTTP/1.1 ") <= 1);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("alive"), bodyOf(exchange(server.port(), get("/echo/alive"))));
  }

  void bodiesComeWhole() {
    const Server server({}, someRoutes(), nullptr);
    Raw raw(server.port());
    raw.send(post("Content-Length: 5\r\n", "he"));
    raw.send("llo");
    CPPUNIT_ASSERT_EQUAL(std::string("<hello>"), bodyOf(raw.readAnswer()));
    raw.send(post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"));
    raw.send("2\r\nde\r\n0\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("<abcde>"), bodyOf(raw.readAnswer()));
    // Neither length nor chunks: no body (RFC 9112, 6.3).
    raw.send(post("", ""));
    CPPUNIT_ASSERT_EQUAL(std::string("<>"), bodyOf(raw.readAnswer()));
    // Cut off: no handler runs, no answer comes.
    raw.send(post("Content-Length: 5\r\n", "he"));
    raw.finishWriting();
    CPPUNIT_ASSERT_EQUAL(std::string(), raw.readAll());
    for (const char* chunk : {"ZZ\r\n", "FFFFFFFFFFFFFFFFFF\r\n", "5\nhello", "5\r\nhelloX\r\n"}) {
      const std::string answer =
          exchange(server.port(), post("Transfer-Encoding: chunked\r\n", std::string(chunk) + get("/echo/smuggled")));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(chunk, 400, statusOf(answer));
      CPPUNIT_ASSERT_EQUAL(1, countOf(answer, "HTTP/1.1 "));
    }
  }

  void anUnreadBodyIsNeverTheNextRequest() {
    const Server server({}, someRoutes(), someTokens);
    const std::string hidden = get("/echo/smuggled");
    const std::string length = "Content-Length: " + std::to_string(hidden.size()) + "\r\n";
    for (const char* path : {"/nowhere", "/guarded", "/admin"}) {
      const std::string answer =
          exchange(server.port(), "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + length + "\r\n" + hidden);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(answer, 1, countOf(answer, "HTTP/1.1 "));
      CPPUNIT_ASSERT(answer.find("smuggled") == std::string::npos);
      CPPUNIT_ASSERT(answer.find("Connection: close\r\n") != std::string::npos);
    }
    const std::string both =
        exchange(server.port(), post(length + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + hidden));
    CPPUNIT_ASSERT_EQUAL(400, statusOf(both));
    CPPUNIT_ASSERT_EQUAL(1, countOf(both, "HTTP/1.1 "));
  }

  void largeBodiesAreRefusedBeforeTheyAreRead() {
    const Server server({}, someRoutes(), nullptr);
    CPPUNIT_ASSERT_EQUAL(413, statusOf(exchange(server.port(), post("Content-Length: 104857600\r\n", ""))));
    CPPUNIT_ASSERT_EQUAL(413,
                         statusOf(exchange(server.port(), post("Content-Length: 1001\r\n", std::string(1001, 'a')))));
    CPPUNIT_ASSERT_EQUAL(200, statusOf(exchange(server.port(), post("Connection: close\r\nContent-Length: 1000\r\n",
                                                                    std::string(1000, 'a')))));
    // Chunks without end.
    Raw raw(server.port());
    raw.send(post("Transfer-Encoding: chunked\r\n", ""));
    for (int i = 0; i < 100; ++i) raw.send("64\r\n" + std::string(100, 'a') + "\r\n");
    CPPUNIT_ASSERT_EQUAL(413, statusOf(raw.readAll()));
    CPPUNIT_ASSERT_EQUAL(
        415, statusOf(exchange(server.port(), post("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"))));
  }

  void pipelinedRequestsAreAnsweredInOrder() {
    const Server server({}, someRoutes(), nullptr);
    std::string bytes;
    for (int i = 0; i < 50; ++i) bytes += get("/echo/n" + std::to_string(i) + ".", "");
    Raw raw(server.port());
    raw.send(bytes);
    for (int i = 0; i < 50; ++i) CPPUNIT_ASSERT_EQUAL("n" + std::to_string(i) + ".", bodyOf(raw.readAnswer()));
    // By the byte.
    for (const char c : get("/echo/slow", "")) raw.send(std::string(1, c));
    CPPUNIT_ASSERT_EQUAL(std::string("slow"), bodyOf(raw.readAnswer()));
  }

  void expectationsAreMet() {
    const Server server({}, someRoutes(), nullptr);
    Raw raw(server.port());
    raw.send(post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""));
    CPPUNIT_ASSERT_EQUAL(std::string("HTTP/1.1 100 Continue\r\n\r\n"), raw.readUntil("\r\n\r\n"));
    raw.send("hello");
    CPPUNIT_ASSERT_EQUAL(std::string("<hello>"), bodyOf(raw.readAnswer()));
    // Who may not send is told so instead.
    CPPUNIT_ASSERT_EQUAL(
        413, statusOf(exchange(server.port(), post("Expect: 100-continue\r\nContent-Length: 9999\r\n", ""))));
  }

  void tokensAndRoles() {
    const Server server({}, someRoutes(), someTokens);
    const auto ask = [&](const std::string& method, const std::string& path, const std::string& authorization) {
      return exchange(server.port(),
                      method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + authorization + "\r\n");
    };
    const std::string missing = ask("GET", "/guarded", "");
    CPPUNIT_ASSERT_EQUAL(401, statusOf(missing));
    CPPUNIT_ASSERT(missing.find("WWW-Authenticate: Bearer") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(401, statusOf(ask("GET", "/guarded", "Authorization: Bearer wrong\r\n")));
    CPPUNIT_ASSERT_EQUAL(401, statusOf(ask("GET", "/guarded", "Authorization: Basic viewer\r\n")));
    CPPUNIT_ASSERT_EQUAL(401, statusOf(ask("GET", "/guarded", "Authorization: Bearer \r\n")));
    CPPUNIT_ASSERT_EQUAL(401, statusOf(ask("GET", "/guarded", "Authorization: Bearer none\r\n")));
    CPPUNIT_ASSERT_EQUAL(401,
                         statusOf(ask("GET", "/guarded", "Authorization: Bearer " + std::string(5000, 'a') + "\r\n")));
    CPPUNIT_ASSERT_EQUAL(
        400, statusOf(ask("GET", "/guarded", "Authorization: Bearer viewer\r\nAuthorization: Bearer admin\r\n")));
    CPPUNIT_ASSERT_EQUAL(std::string("hello viewer"),
                         bodyOf(ask("GET", "/guarded", "Authorization: Bearer viewer\r\n")));
    CPPUNIT_ASSERT_EQUAL(std::string("hello admin"), bodyOf(ask("GET", "/guarded", "authorization: bearer admin\r\n")));
    CPPUNIT_ASSERT_EQUAL(403, statusOf(ask("POST", "/admin", "Authorization: Bearer operator\r\n")));
    CPPUNIT_ASSERT_EQUAL(204, statusOf(ask("POST", "/admin", "Authorization: Bearer admin\r\n")));
    // Without an authenticator nothing that needs a role is open.
    const Server closed({}, someRoutes(), nullptr);
    CPPUNIT_ASSERT_EQUAL(
        401,
        statusOf(exchange(closed.port(), get("/guarded", "Authorization: Bearer admin\r\nConnection: close\r\n"))));
    // An authenticator that cannot tell now is not a wrong token.
    const Server away({}, someRoutes(), [](const Request&, const std::string&) -> std::optional<Identity> {
      throw ocelot::Error(ocelot::Status::unavailable, "store: connection refused");
    });
    const std::string answer =
        exchange(away.port(), get("/guarded", "Authorization: Bearer admin\r\nConnection: close\r\n"));
    CPPUNIT_ASSERT_EQUAL(503, statusOf(answer));
    CPPUNIT_ASSERT(answer.find("Retry-After: ") != std::string::npos);
  }

  void wrongTokensAreLimitedAndRightOnesPass() {
    const Server server({}, someRoutes(), someTokens);
    int refused = 0, limited = 0;
    for (int i = 0; i < 30; ++i) {
      const int status =
          statusOf(exchange(server.port(), get("/guarded", "Authorization: Bearer guess" + std::to_string(i) +
                                                               "\r\nConnection: close\r\n")));
      refused += status == 401;
      limited += status == 429;
    }
    CPPUNIT_ASSERT_EQUAL(10, refused);
    CPPUNIT_ASSERT_EQUAL(20, limited);
    CPPUNIT_ASSERT_EQUAL(
        200,
        statusOf(exchange(server.port(), get("/guarded", "Authorization: Bearer viewer\r\nConnection: close\r\n"))));
  }

  void theLimiterIsBounded() {
    Limiter limiter(2, 100);
    const auto now = Limiter::Clock::now();
    CPPUNIT_ASSERT(limiter.fail("10.0.0.1", now));
    CPPUNIT_ASSERT(limiter.fail("10.0.0.1", now));
    CPPUNIT_ASSERT(!limiter.fail("10.0.0.1", now));
    for (int i = 0; i < 10000; ++i)
      limiter.fail("192.168." + std::to_string(i / 250) + "." + std::to_string(i % 250), now);
    CPPUNIT_ASSERT_EQUAL(std::size_t{100}, limiter.size());
    CPPUNIT_ASSERT(!limiter.fail("10.0.0.1", now));    // a flood does not make it forget
    CPPUNIT_ASSERT(!limiter.fail("172.16.0.1", now));  // who found no place shares one count
    CPPUNIT_ASSERT(limiter.fail("10.0.0.1", now + std::chrono::seconds(61)));
    Limiter networks(1);
    CPPUNIT_ASSERT(networks.fail("2001:db8::1", now));
    CPPUNIT_ASSERT(!networks.fail("2001:db8::2", now));
    CPPUNIT_ASSERT(networks.fail("2001:db8:0:1::2", now));
  }

  void whatHandlersThrowBecomesAnswers() {
    Routes routes;
    routes.get("/refusal", Role::none, [](const Request&) -> Answer {
      Refusal refusal(409, "taken", "the name is taken", "choose another");
      refusal.retry_after_s = 7;
      throw refusal;
    });
    routes.get("/missing", Role::none,
               [](const Request&) -> Answer { throw ocelot::Error(ocelot::Status::not_found, "no such build"); });
    routes.get("/secret", Role::none, [](const Request&) -> Answer { throw std::runtime_error("password=hunter2"); });
    routes.get("/own", Role::none, [](const Request&) -> Answer { throw std::domain_error("mine"); });
    routes.get("/n", Role::none,
               [](const Request& request) { return text(std::to_string(*request.queryNumber("n"))); });
    std::mutex mutex;
    std::string logged;
    ServerHooks hooks;
    hooks.log = [&](ocelot::LogLevel, std::string_view line) {
      const std::lock_guard lock(mutex);
      logged += line;
    };
    hooks.explain = [](const std::exception& error) -> std::optional<Answer> {
      if (dynamic_cast<const std::domain_error*>(&error)) return failure(418, "own", error.what());
      return std::nullopt;
    };
    const Server server({}, std::move(routes), nullptr, hooks);
    const std::string refusal = exchange(server.port(), get("/refusal"));
    CPPUNIT_ASSERT_EQUAL(409, statusOf(refusal));
    CPPUNIT_ASSERT(refusal.find("Retry-After: 7\r\n") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(
        std::string("{\"error\":\"taken\",\"message\":\"the name is taken\",\"hint\":\"choose another\"}\n"),
        bodyOf(refusal));
    CPPUNIT_ASSERT_EQUAL(404, statusOf(exchange(server.port(), get("/missing"))));
    CPPUNIT_ASSERT_EQUAL(418, statusOf(exchange(server.port(), get("/own"))));
    CPPUNIT_ASSERT_EQUAL(400, statusOf(exchange(server.port(), get("/n?n=seven"))));
    CPPUNIT_ASSERT_EQUAL(std::string("7"), bodyOf(exchange(server.port(), get("/n?n=7"))));
    const std::string internal = exchange(server.port(), get("/secret"));
    CPPUNIT_ASSERT_EQUAL(500, statusOf(internal));
    CPPUNIT_ASSERT(internal.find("hunter2") == std::string::npos);
    const std::lock_guard lock(mutex);
    CPPUNIT_ASSERT(logged.find("hunter2") != std::string::npos);
  }

  void headersOfHandlersCannotSplit() {
    Routes routes;
    routes.get("/{x}", Role::none, [](const Request&) {
      Answer answer = text("body");
      answer.headers.emplace_back("X-Branch", "a\r\nSet-Cookie: evil=1");
      answer.content_type = "text/plain\r\nX: y";
      return answer;
    });
    const Server server({}, std::move(routes), nullptr);
    const std::string answer = exchange(server.port(), get("/a"));
    CPPUNIT_ASSERT(answer.find("\r\nSet-Cookie") == std::string::npos);
    CPPUNIT_ASSERT(answer.find("\r\nX: y") == std::string::npos);
    CPPUNIT_ASSERT(answer.find("X-Branch: a  Set-Cookie: evil=1\r\n") != std::string::npos);
  }

  void headHasNoBody() {
    const Server server({}, someRoutes(), nullptr);
    Raw raw(server.port());
    raw.send("HEAD /echo/abc HTTP/1.1\r\nHost: x\r\n\r\n");
    CPPUNIT_ASSERT(raw.readUntil("\r\n\r\n").find("Content-Length: 3\r\n") != std::string::npos);
    raw.send(get("/echo/next", ""));
    CPPUNIT_ASSERT_EQUAL(std::string("next"), bodyOf(raw.readAnswer()));
  }

  void slowHeadsCostNoThread() {
    const Server server(fewThreads(), someRoutes(), nullptr);
    std::vector<std::unique_ptr<Raw>> slow;
    for (int i = 0; i < 100; ++i) {
      slow.push_back(std::make_unique<Raw>(server.port()));
      slow.back()->send("GET /echo/slow HTTP/1.1\r\nHost:");
    }
    const auto time = took([&] { CPPUNIT_ASSERT_EQUAL(200, statusOf(exchange(server.port(), get("/echo/good")))); });
    CPPUNIT_ASSERT_MESSAGE(std::to_string(time.count()) + " ms", time < milliseconds(2000));
    for (auto& raw : slow) raw->send(" x\r\nConnection: close\r\n\r\n");
    for (auto& raw : slow) CPPUNIT_ASSERT_EQUAL(std::string("slow"), bodyOf(raw->readAll()));
  }

  void slowBodiesCostNoThread() {
    const Server server(fewThreads(), someRoutes(), nullptr);
    std::vector<std::unique_ptr<Raw>> slow;
    for (int i = 0; i < 100; ++i) {
      slow.push_back(std::make_unique<Raw>(server.port()));
      slow.back()->send(post("Connection: close\r\nContent-Length: 5\r\n", "h"));
    }
    const auto time = took([&] { CPPUNIT_ASSERT_EQUAL(200, statusOf(exchange(server.port(), get("/echo/good")))); });
    CPPUNIT_ASSERT_MESSAGE(std::to_string(time.count()) + " ms", time < milliseconds(2000));
    for (auto& raw : slow) raw->send("ello");
    for (auto& raw : slow) CPPUNIT_ASSERT_EQUAL(std::string("<hello>"), bodyOf(raw->readAll()));
  }

  void idleConnectionsCostNoThread() {
    const Server server(fewThreads(), someRoutes(), nullptr);
    std::vector<std::unique_ptr<Raw>> idle;
    for (int i = 0; i < 50; ++i) {
      idle.push_back(std::make_unique<Raw>(server.port()));
      idle.back()->send(get("/echo/a", ""));
      CPPUNIT_ASSERT_EQUAL(200, statusOf(idle.back()->readAnswer()));
    }
    const auto time = took([&] { CPPUNIT_ASSERT_EQUAL(200, statusOf(exchange(server.port(), get("/echo/good")))); });
    CPPUNIT_ASSERT_MESSAGE(std::to_string(time.count()) + " ms", time < milliseconds(2000));
    for (auto& raw : idle) {
      raw->send(get("/echo/again", ""));
      CPPUNIT_ASSERT_EQUAL(std::string("again"), bodyOf(raw->readAnswer()));
    }
  }

  void lateHeadsAndBodiesAreEnded() {
    ServerSettings settings;
    settings.head_timeout = settings.body_timeout = settings.keep_alive_timeout = milliseconds(100);
    const Server server(settings, someRoutes(), nullptr);
    CPPUNIT_ASSERT_EQUAL(408, statusOf(exchange(server.port(), "GET / HT")));
    CPPUNIT_ASSERT_EQUAL(408, statusOf(exchange(server.port(), post("Content-Length: 5\r\n", "h"))));
    CPPUNIT_ASSERT_EQUAL(std::string(), exchange(server.port(), ""));
    Raw idle(server.port());
    idle.send(get("/echo/a", ""));
    CPPUNIT_ASSERT_EQUAL(200, statusOf(idle.readAnswer()));
    CPPUNIT_ASSERT_EQUAL(std::string(), idle.readAll());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, server.load().timeouts);
  }

  void connectionsAreBounded() {
    ServerSettings settings;
    settings.max_connections_per_peer = 3;
    settings.limit_loopback = true;
    const Server server(settings, someRoutes(), nullptr);
    std::vector<std::unique_ptr<Raw>> open;
    for (int i = 0; i < 3; ++i) {
      open.push_back(std::make_unique<Raw>(server.port()));
      open.back()->send(get("/echo/a", ""));
      CPPUNIT_ASSERT_EQUAL(200, statusOf(open.back()->readAnswer()));
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), exchange(server.port(), get("/echo/b")));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, server.load().refused_connections);
    open[0]->send(get("/echo/last"));
    open[0]->readAll();
    open[0]->close();
    while (server.load().connections > 2) std::this_thread::yield();
    CPPUNIT_ASSERT_EQUAL(200, statusOf(exchange(server.port(), get("/echo/b"))));
  }

  void aFullServerMakesRoomForNewcomers() {
    ServerSettings settings;
    settings.max_connections = 10;
    const Server server(settings, someRoutes(), nullptr);
    std::vector<std::unique_ptr<Raw>> slow;
    for (int i = 0; i < 30; ++i) {
      slow.push_back(std::make_unique<Raw>(server.port()));
      slow.back()->send("GET /");
    }
    CPPUNIT_ASSERT_EQUAL(200, statusOf(exchange(server.port(), get("/echo/good"))));
    CPPUNIT_ASSERT(server.load().connections <= 10);
  }

  void aSmallAnswerDoesNotWaitForAnAcknowledgement() {
    const Server server({}, someRoutes(), nullptr);
    Raw raw(server.port());
    const auto time = took([&] {
      for (int i = 0; i < 100; ++i) {
        raw.send(get("/echo/a", ""));
        raw.readAnswer();
      }
    });
    // Head and body in two writes would take 100 × 40 ms.
    CPPUNIT_ASSERT_MESSAGE(std::to_string(time.count()) + " ms", time < milliseconds(2000));
  }

  void drainFinishesRequests() {
    Gate gate;
    Routes routes = someRoutes();
    routes.get("/wait", Role::none, [&](const Request&) {
      gate.pass();
      return text("done");
    });
    Server server({}, std::move(routes), nullptr);
    Raw busy(server.port()), idle(server.port());
    idle.send(get("/echo/a", ""));
    idle.readAnswer();
    busy.send(get("/wait", ""));
    gate.waitForArrivals(1);
    std::thread drainer([&] { server.drain(milliseconds(20000)); });
    CPPUNIT_ASSERT_EQUAL(std::string(), idle.readAll());  // closed: the drain has begun
    idle.close();
    gate.open();
    const std::string answer = busy.readAll();
    busy.close();
    drainer.join();
    CPPUNIT_ASSERT_EQUAL(std::string("done"), bodyOf(answer));
    CPPUNIT_ASSERT(answer.find("Connection: close\r\n") != std::string::npos);
    CPPUNIT_ASSERT_THROW(Raw(server.port()), CppUnit::Exception);
    server.drain(milliseconds(0));  // safe twice
  }

  void drainCutsWhatTakesTooLong() {
    Gate gate;
    Routes routes;
    routes.get("/wait", Role::none, [&](const Request&) {
      gate.pass();
      return text("done");
    });
    Server server({}, std::move(routes), nullptr);
    Raw busy(server.port());
    busy.send(get("/wait"));
    gate.waitForArrivals(1);
    std::thread drainer([&] { server.drain(milliseconds(50)); });
    CPPUNIT_ASSERT_EQUAL(std::string(), busy.readAll());
    gate.open();  // the handler itself cannot be stopped, only its connection
    drainer.join();
  }

  void unixSocketsAreServed() {
    ServerSettings settings;
    char folder[] = "/tmp/ocelot-http-test-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(folder));
    const std::string path = std::string(folder) + "/s";
    settings.listen = "unix:" + path;
    {
      const Server server(settings, someRoutes(), nullptr);
      struct stat info {};
      CPPUNIT_ASSERT_EQUAL(0, ::stat(path.c_str(), &info));
      CPPUNIT_ASSERT_EQUAL(0600u, info.st_mode & 0777u);
      CPPUNIT_ASSERT_EQUAL("unix:" + path, server.url());
      CPPUNIT_ASSERT_THROW(Server(settings, someRoutes(), nullptr), ocelot::Error);
    }
    CPPUNIT_ASSERT(::access(path.c_str(), F_OK) != 0);
    ::rmdir(folder);
  }

  void aTakenPortIsAnError() {
    const Server server({}, someRoutes(), nullptr);
    ServerSettings settings;
    settings.listen = "127.0.0.1:" + std::to_string(server.port());
    try {
      const Server second(settings, someRoutes(), nullptr);
      CPPUNIT_FAIL("shared the port");
    } catch (const ocelot::Error& error) {
      CPPUNIT_ASSERT(ocelot::Status::unavailable == error.status());
      CPPUNIT_ASSERT_MESSAGE(error.what(),
                             std::string(error.what()).find("http: listen on " + settings.listen + ": ") == 0);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerTest);
