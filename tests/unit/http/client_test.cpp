#include "host/http/client.hpp"

#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "host/http/server.hpp"
#include "host/http/url.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/loopback.hpp"
#include "tests/unit/http/fixture.hpp"

using namespace ocelot::http;
using namespace ocelot::http::test;
using ocelot::Error;
using ocelot::HttpAnswer;
using ocelot::HttpRequest;
using ocelot::SimpleCall;
using ocelot::Status;
using ocelot::test::Certificate;
using std::chrono::milliseconds;

namespace {

// A server that takes one connection, reads a head, and answers with given bytes.
class Scripted {
 public:
  explicit Scripted(std::string answer, bool close = true)
      : answer_(std::move(answer)), close_(close), thread_([this] { serve(); }) {}
  ~Scripted() { thread_.join(); }
  std::string url() const { return "http://" + listener_.address(); }
  std::string asked;  // read it after the answer has come

 private:
  void serve() {
    const int fd = ::accept(listener_.fd(), nullptr, nullptr);
    char buffer[4096];
    while (asked.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      asked.append(buffer, static_cast<std::size_t>(got));
    }
    ::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    if (!close_) ::recv(fd, buffer, sizeof buffer, 0);  // until the client goes
    ::close(fd);
  }
  const std::string answer_;
  const bool close_;
  const ocelot::test::Loopback listener_;
  std::thread thread_;  // last: it uses all the others
};

Client clientOf(const std::string& url, const std::string& token = "") {
  ClientSettings settings;
  settings.url = url;
  settings.token = token;
  settings.silence_timeout = milliseconds(10000);
  return Client(settings);
}

HttpAnswer ask(Client& client, const std::string& url, const std::string& method = "GET",
               const std::string& body = "") {
  SimpleCall call(milliseconds(20000));
  HttpRequest request;
  request.method = method;
  request.url = url;
  request.body = body;
  return client.send(call, request);
}

std::pair<Status, std::string> errorOf(const std::function<void()>& what) {
  try {
    what();
  } catch (const Error& error) {
    return {error.status(), error.what()};
  }
  CPPUNIT_FAIL("nothing was thrown");
  return {};
}

// Cancelled from another thread.
class Cancellable final : public ocelot::Call {
 public:
  Cancellable() : fd_(::eventfd(0, EFD_CLOEXEC)) {}
  ~Cancellable() override { ::close(fd_); }
  Clock::time_point deadline() const override { return Clock::time_point::max(); }
  bool cancelled() const override { return cancelled_; }
  int cancelFd() const override { return fd_; }
  void log(ocelot::LogLevel, std::string_view) override {}
  void cancel() {
    cancelled_ = true;
    const std::uint64_t one = 1;
    CPPUNIT_ASSERT_EQUAL(ssize_t{8}, ::write(fd_, &one, sizeof one));
  }

 private:
  const int fd_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace

class ClientTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClientTest);
  CPPUNIT_TEST(urlsAreUnderstood);
  CPPUNIT_TEST(requestsAreAnswered);
  CPPUNIT_TEST(cutOffAnswersAreErrors);
  CPPUNIT_TEST(nothingListensThere);
  CPPUNIT_TEST(longAnswersAreRefused);
  CPPUNIT_TEST(theDeadlineIsKept);
  CPPUNIT_TEST(aCallCanBeCancelled);
  CPPUNIT_TEST(headersCannotSplitARequest);
  CPPUNIT_TEST(redirectsAreFollowedWhenAsked);
  CPPUNIT_TEST(theTokenStaysWithItsHost);
  CPPUNIT_TEST(theAddressThatIsAskedAboutIsTheOneConnectedTo);
  CPPUNIT_TEST(aRefusedAddressIsNotConnectedTo);
  CPPUNIT_TEST(streamsComeAsTheyAreWritten);
  CPPUNIT_TEST(aStreamThatIsCutIsAnError);
  CPPUNIT_TEST(unixSocketsAreReached);
  CPPUNIT_TEST(tlsIsSpokenAndVerified);
  CPPUNIT_TEST(badCertificatesAreNamed);
  CPPUNIT_TEST(slowHandshakesCostNoThread);
  CPPUNIT_TEST(manyRequestsOverTls);
  CPPUNIT_TEST_SUITE_END();

 public:
  void urlsAreUnderstood() {
    const Url url = parseUrl("https://Ci.Example.org:8443/base/?q=1#f");
    CPPUNIT_ASSERT(url.tls);
    CPPUNIT_ASSERT_EQUAL(std::string("ci.example.org"), url.host);
    CPPUNIT_ASSERT_EQUAL(8443, static_cast<int>(url.port));
    CPPUNIT_ASSERT_EQUAL(std::string("/base/?q=1"), url.target);
    CPPUNIT_ASSERT_EQUAL(std::string("https://ci.example.org:8443/base/"), url.shown());
    CPPUNIT_ASSERT_EQUAL(std::string("/base/v1/x?y=2"), resolve(url, "/v1/x?y=2").target);
    CPPUNIT_ASSERT_EQUAL(std::string("[::1]:7700"), parseUrl("http://[::1]:7700").authority());
    CPPUNIT_ASSERT_EQUAL(std::string("h"), parseUrl("http://h:80/").authority());
    CPPUNIT_ASSERT_EQUAL(std::string("/run/s"), parseUrl("unix:/run/s").socket_path);
    for (const char* bad : {"", "ftp://h", "http://", "http://h:0", "http://h:65536", "http://h:x", "http://u:p@h",
                            "http://h/a b", "http://h/\r\nX: y", "//h"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, parseUrl(bad), Error);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("acme%2Ftool%20%C3%A4"), encode("acme/tool \xc3\xa4"));
  }

  void requestsAreAnswered() {
    const Server server({}, someRoutes(), someTokens);
    Client client = clientOf(server.url(), "viewer");
    CPPUNIT_ASSERT_EQUAL(std::string("acme/tool"), ask(client, "/echo/" + encode("acme/tool")).body);
    CPPUNIT_ASSERT_EQUAL(std::string("<hello>"), ask(client, "/echo", "POST", "hello").body);
    CPPUNIT_ASSERT_EQUAL(std::string("<>"), ask(client, "/echo", "POST").body);
    CPPUNIT_ASSERT_EQUAL(std::string("hello viewer"), ask(client, "/guarded").body);
    CPPUNIT_ASSERT_EQUAL(403, ask(client, "/admin", "POST").status);
    CPPUNIT_ASSERT_EQUAL(413, ask(client, "/echo", "POST", std::string(3 << 20, 'a')).status);
    const HttpAnswer answer = ask(client, server.url() + "/nowhere");
    CPPUNIT_ASSERT_EQUAL(404, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("nosniff"), headerOf(answer, "x-content-type-options"));
  }

  void cutOffAnswersAreErrors() {
    const std::pair<std::string, std::string> cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "the answer was cut off after 4 bytes"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "the answer was cut off after 4 bytes"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "a chunk's size is not a number"},
        {"HTTP/1.1 200 OK\r\nContent-Le", "the answer was cut off"},
        {"", "no answer came"},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the answer does not begin with an HTTP/1.1 status line"},
        {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "a line ends with LF instead of CR LF"},
    };
    for (const auto& [bytes, what] : cases) {
      const Scripted server(bytes);
      Client client = clientOf(server.url());
      const auto [status, text] = errorOf([&] { ask(client, "/x?ticket=hidden"); });
      CPPUNIT_ASSERT(Status::unavailable == status);
      CPPUNIT_ASSERT_EQUAL("GET " + server.url() + "/x: " + what, text);
    }
    const Scripted until_close("HTTP/1.0 200 OK\r\n\r\nall of it");
    Client client = clientOf(until_close.url());
    CPPUNIT_ASSERT_EQUAL(std::string("all of it"), ask(client, "/").body);
  }

  void nothingListensThere() {
    std::string url;
    {
      const Server server({}, {}, nullptr);
      url = server.url();
    }
    Client client = clientOf(url);
    const auto [status, text] = errorOf([&] { ask(client, "/"); });
    CPPUNIT_ASSERT(Status::unavailable == status);
    CPPUNIT_ASSERT_EQUAL("GET " + url + "/: connection refused: nothing listens there", text);
    Client nobody = clientOf("http://no-such-host.invalid");
    CPPUNIT_ASSERT(Status::unavailable == errorOf([&] { ask(nobody, "/"); }).first);
    CPPUNIT_ASSERT(Status::invalid == errorOf([&] { clientOf("nonsense"); }).first);
  }

  void longAnswersAreRefused() {
    const Server server({}, someRoutes(), nullptr);
    Client client = clientOf(server.url());
    SimpleCall call;
    HttpRequest request;
    request.url = "/echo/" + std::string(100, 'a');
    request.max_answer_bytes = 99;
    CPPUNIT_ASSERT(Status::invalid == errorOf([&] { client.send(call, request); }).first);
    request.max_answer_bytes = 100;
    CPPUNIT_ASSERT_EQUAL(200, client.send(call, request).status);
  }

  void theDeadlineIsKept() {
    const Scripted server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false);
    Client client = clientOf(server.url());
    SimpleCall call(milliseconds(200));
    HttpRequest request;
    request.url = "/";
    CPPUNIT_ASSERT(Status::cancelled == errorOf([&] { client.send(call, request); }).first);
  }

  void aCallCanBeCancelled() {
    const Scripted server("", false);
    Client client = clientOf(server.url());
    Cancellable call;
    HttpRequest request;
    request.url = "/";
    std::thread canceller([&] { call.cancel(); });
    CPPUNIT_ASSERT(Status::cancelled == errorOf([&] { client.send(call, request); }).first);
    canceller.join();
    // The scripted server waits for a connection even when the cancel came before it was made.
    const Raw release(parseUrl(server.url()).port);
  }

  void headersCannotSplitARequest() {
    Client client = clientOf("http://127.0.0.1:1");
    SimpleCall call;
    HttpRequest request;
    request.url = "/";
    request.headers.emplace_back("X-Branch", "a\r\nEvil: 1");
    CPPUNIT_ASSERT(Status::invalid == errorOf([&] { client.send(call, request); }).first);
  }

  void redirectsAreFollowedWhenAsked() {
    const Server worker({}, someRoutes(), nullptr);
    Routes routes;
    routes.get("/log", Role::none,
               [&](const Request&) { return redirect(worker.url() + "/echo/from-worker?ticket=1"); });
    routes.get("/here", Role::none, [&](const Request&) { return redirect("/there"); });
    routes.get("/there", Role::none, [&](const Request&) { return text("there"); });
    routes.get("/loop", Role::none, [&](const Request&) { return redirect("/loop"); });
    routes.get("/socket", Role::none, [&](const Request&) { return redirect("unix:/run/secret.sock"); });
    const Server admin({}, std::move(routes), nullptr);
    Client plain = clientOf(admin.url());
    CPPUNIT_ASSERT_EQUAL(307, ask(plain, "/log").status);
    ClientSettings settings;
    settings.url = admin.url();
    settings.max_redirects = 2;
    Client following(settings);
    CPPUNIT_ASSERT_EQUAL(std::string("from-worker"), ask(following, "/log").body);
    CPPUNIT_ASSERT_EQUAL(std::string("there"), ask(following, "/here").body);
    CPPUNIT_ASSERT_EQUAL(307, ask(following, "/loop").status);
    CPPUNIT_ASSERT(Status::invalid == errorOf([&] { ask(following, "/socket"); }).first);
  }

  void theTokenStaysWithItsHost() {
    Routes routes;
    routes.get("/who", Role::none,
               [](const Request& request) { return text("[" + request.header("authorization") + "]"); });
    const Server other({}, std::move(routes), nullptr);
    Routes first;
    first.get("/who", Role::none,
              [](const Request& request) { return text("[" + request.header("authorization") + "]"); });
    first.get("/away", Role::none, [&](const Request&) { return redirect(other.url() + "/who"); });
    const Server own({}, std::move(first), nullptr);
    ClientSettings settings;
    settings.url = own.url();
    settings.token = "s3cret";
    settings.max_redirects = 1;
    Client client(settings);
    CPPUNIT_ASSERT_EQUAL(std::string("[Bearer s3cret]"), ask(client, "/who").body);
    CPPUNIT_ASSERT_EQUAL(std::string("[]"), ask(client, "/away").body);
    CPPUNIT_ASSERT_EQUAL(std::string("[]"), ask(client, other.url() + "/who").body);
  }

  // A name of two addresses, of which only the second listens: both are asked about, in the order they are tried.
  void theAddressThatIsAskedAboutIsTheOneConnectedTo() {
    Routes routes;
    routes.get("/peer", Role::none, [](const Request& request) { return text(request.peer); });
    const Server server({}, std::move(routes), nullptr);
    std::vector<std::string> asked;
    ClientSettings settings;
    settings.may_connect = [&](const std::string& host, const std::string& address) {
      asked.push_back(host + " " + address);
    };
    Client client(settings);
    const std::string port = std::to_string(parseUrl(server.url()).port);
    CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.1"), ask(client, "http://127.0.0.1:" + port + "/peer").body);
    CPPUNIT_ASSERT((asked == std::vector<std::string>{"127.0.0.1 127.0.0.1"}));
    asked.clear();
    ask(client, "http://localhost:" + port + "/peer");
    CPPUNIT_ASSERT(!asked.empty());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the last one answered", std::string("localhost 127.0.0.1"), asked.back());
    asked.clear();
    ask(client, "http://2130706433:" + port + "/peer");  // another way of writing the same
    CPPUNIT_ASSERT((asked == std::vector<std::string>{"2130706433 127.0.0.1"}));
  }

  void aRefusedAddressIsNotConnectedTo() {
    std::atomic<int> reached{0};
    Routes inner;
    inner.get("/", Role::none, [&](const Request&) {
      ++reached;
      return text("secret");
    });
    const Server neighbour({}, std::move(inner), nullptr);
    Routes routes;
    routes.get("/away", Role::none, [&](const Request&) { return redirect(neighbour.url() + "/"); });
    const Server outside({}, std::move(routes), nullptr);
    ClientSettings settings;
    settings.max_redirects = 3;
    settings.may_connect = [&, asked = 0](const std::string&, const std::string& address) mutable {
      // As when a name is given another address the second time that it is looked up.
      if (++asked > 1) throw Error(Status::invalid, address + " is not for you");
    };
    Client client(settings);
    const auto [status, what] = errorOf([&] { ask(client, outside.url() + "/away"); });
    CPPUNIT_ASSERT_MESSAGE(what, status == Status::invalid);
    CPPUNIT_ASSERT_MESSAGE(what, what.find("GET " + neighbour.url()) != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(what, what.find("127.0.0.1 is not for you") != std::string::npos);
    CPPUNIT_ASSERT(Status::invalid == errorOf([&] { ask(client, neighbour.url() + "/"); }).first);
    CPPUNIT_ASSERT_EQUAL(0, reached.load());
  }

  void streamsComeAsTheyAreWritten() {
    Gate gate;
    Routes routes;
    routes.get("/log", Role::none, [&](const Request&) {
      Answer answer = text("");
      answer.stream = [&](StreamWriter& out) {
        out.write("one\n");
        gate.pass();
        return out.write("two\n");
      };
      return answer;
    });
    const Server server({}, std::move(routes), nullptr);
    Client client = clientOf(server.url());
    SimpleCall call(milliseconds(20000));
    HttpRequest request;
    request.url = "/log";
    std::string got;
    int status = 0;
    const auto head = [&](const HttpAnswer& answer) {
      status = answer.status;
      return true;
    };
    CPPUNIT_ASSERT(client.stream(call, request, head, [&](std::string_view bytes) {
      got += bytes;
      gate.open();  // the second line is written only after the first was seen
      return true;
    }));
    CPPUNIT_ASSERT_EQUAL(200, status);
    CPPUNIT_ASSERT_EQUAL(std::string("one\ntwo\n"), got);
    CPPUNIT_ASSERT(!client.stream(call, request, head, [](std::string_view) { return false; }));
    request.url = "/nowhere";
    std::string refusal;
    client.stream(
        call, request,
        [&](const HttpAnswer& answer) {
          refusal = answer.body;
          return true;
        },
        nullptr);
    CPPUNIT_ASSERT(refusal.find("not_found") != std::string::npos);
  }

  void aStreamThatIsCutIsAnError() {
    Routes routes;
    routes.get("/log", Role::none, [&](const Request&) {
      Answer answer = text("");
      answer.stream = [&](StreamWriter& out) { return out.write("half") && false; };
      return answer;
    });
    const Server server({}, std::move(routes), nullptr);
    Client client = clientOf(server.url());
    SimpleCall call(milliseconds(20000));
    HttpRequest request;
    request.url = "/log";
    std::string got;
    const auto [status, text] = errorOf([&] {
      client.stream(
          call, request, [](const HttpAnswer&) { return true; },
          [&](std::string_view bytes) {
            got += bytes;
            return true;
          });
    });
    CPPUNIT_ASSERT(Status::unavailable == status);
    CPPUNIT_ASSERT_EQUAL(std::string("half"), got);
  }

  void unixSocketsAreReached() {
    char folder[] = "/tmp/ocelot-http-test-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(folder));
    ServerSettings settings;
    settings.listen = "unix:" + std::string(folder) + "/s";
    {
      Routes routes;
      routes.get("/v1/peer", Role::none, [](const Request& request) {
        return text(request.peer + (request.fromLoopback() ? " loopback" : ""));
      });
      const Server server(settings, std::move(routes), nullptr);
      Client client = clientOf(server.url());
      CPPUNIT_ASSERT_EQUAL(std::string("unix loopback"), ask(client, "/v1/peer").body);
    }
    ::rmdir(folder);
  }

  void tlsIsSpokenAndVerified() {
    const Certificate certificate("DNS:localhost,IP:127.0.0.1");
    ServerSettings settings;
    settings.tls_certificate = certificate.certificate();
    settings.tls_key = certificate.key();
    const Server server(settings, someRoutes(), nullptr);
    CPPUNIT_ASSERT_EQUAL("https://127.0.0.1:" + std::to_string(server.port()), server.url());
    ClientSettings trusting;
    trusting.url = server.url();
    trusting.ca_file = certificate.certificate();
    Client client(trusting);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), ask(client, "/echo/a").body);
    CPPUNIT_ASSERT_EQUAL(std::string("<" + std::string(1000, 'b') + ">"),
                         ask(client, "/echo", "POST", std::string(1000, 'b')).body);
    trusting.url = "https://localhost:" + std::to_string(server.port());
    Client by_name(trusting);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), ask(by_name, "/echo/a").body);
    // Not in the system's store.
    Client strict = clientOf(server.url());
    const auto [status, text] = errorOf([&] { ask(strict, "/echo/a"); });
    CPPUNIT_ASSERT(Status::unavailable == status);
    CPPUNIT_ASSERT_EQUAL("GET " + server.url() + "/echo/a: certificate verify failed: self-signed certificate", text);
    const Server open(ServerSettings{}, someRoutes(), nullptr);
    Client mistaken = clientOf("https" + open.url().substr(4));
    CPPUNIT_ASSERT_EQUAL("GET https" + open.url().substr(4) + "/echo/a: what answers there speaks no TLS",
                         errorOf([&] { ask(mistaken, "/echo/a"); }).second);
    // Plain HTTP to a TLS port is no way in.
    CPPUNIT_ASSERT(exchange(server.port(), get("/echo/a")).find("200") == std::string::npos);
  }

  void badCertificatesAreNamed() {
    // For another name, though this one resolves to this machine.
    const Certificate other("DNS:other.example");
    const Certificate expired("IP:127.0.0.1", -3600);
    for (const auto& [certificate, what] : {std::pair<const Certificate&, const char*>{other, "IP address mismatch"},
                                            {expired, "certificate has expired"}}) {
      ServerSettings settings;
      settings.tls_certificate = certificate.certificate();
      settings.tls_key = certificate.key();
      const Server server(settings, someRoutes(), nullptr);
      ClientSettings trusting;
      trusting.url = server.url();
      trusting.ca_file = certificate.certificate();
      Client client(trusting);
      const auto [status, text] = errorOf([&] { ask(client, "/echo/a"); });
      CPPUNIT_ASSERT_EQUAL("GET " + server.url() + "/echo/a: certificate verify failed: " + what, text);
    }
    ServerSettings broken;
    broken.tls_certificate = "/nowhere/cert.pem";
    broken.tls_key = "/nowhere/key.pem";
    const auto [status, text] = errorOf([&] { Server(broken, {}, nullptr); });
    CPPUNIT_ASSERT(Status::invalid == status);
    CPPUNIT_ASSERT_MESSAGE(text, text.find("/nowhere/cert.pem") != std::string::npos);
    ServerSettings mixed;
    mixed.tls_certificate = other.certificate();
    mixed.tls_key = expired.key();
    CPPUNIT_ASSERT(Status::invalid == errorOf([&] { Server(mixed, {}, nullptr); }).first);
  }

  void slowHandshakesCostNoThread() {
    const Certificate certificate("IP:127.0.0.1");
    ServerSettings settings;
    settings.threads = 1;
    settings.tls_certificate = certificate.certificate();
    settings.tls_key = certificate.key();
    const Server server(settings, someRoutes(), nullptr);
    std::vector<std::unique_ptr<Raw>> slow;
    for (int i = 0; i < 50; ++i) {
      slow.push_back(std::make_unique<Raw>(server.port()));
      slow.back()->send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    }
    ClientSettings trusting;
    trusting.url = server.url();
    trusting.ca_file = certificate.certificate();
    Client client(trusting);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), ask(client, "/echo/a").body);
  }

  void manyRequestsOverTls() {
    const Certificate certificate("IP:127.0.0.1");
    Routes routes;
    const std::string large(3 << 20, 'x');
    routes.get("/large", Role::none, [&](const Request&) { return text(large); });
    routes.get("/stream", Role::none, [&](const Request&) {
      Answer answer = text("");
      answer.stream = [&](StreamWriter& out) { return out.write(large); };
      return answer;
    });
    ServerSettings settings;
    settings.tls_certificate = certificate.certificate();
    settings.tls_key = certificate.key();
    const Server server(settings, std::move(routes), nullptr);
    ClientSettings trusting;
    trusting.url = server.url();
    trusting.ca_file = certificate.certificate();
    Client client(trusting);
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int j = 0; j < 5; ++j) good += ask(client, (i + j) % 2 ? "/large" : "/stream").body == large;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(20, good.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClientTest);
