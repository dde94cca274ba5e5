// The wire to an engine that is away, hangs, breaks off or talks nonsense.

#include "plugins/runtime/docker/engine.hpp"

#include <sys/stat.h>

#include <future>

#include "tests/unit/docker/fake_engine.hpp"
#include "tests/unit/docker/fixture.hpp"

namespace ocelot::docker::test {
namespace {

using std::chrono::milliseconds;

Question question(const std::string& path = "/thing") {
  Question out;
  out.doing = "asking for a thing";
  out.path = path;
  return out;
}

FakeEngine::Script always(const Reply& reply) {
  return [reply](const Heard& heard) { return heard.line.find("/thing") != std::string::npos ? reply : Reply{}; };
}

}  // namespace

class EngineTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EngineTest);
  CPPUNIT_TEST(anAnswerComesBackWhole);
  CPPUNIT_TEST(theVersionIsNegotiatedOnce);
  CPPUNIT_TEST(anOlderEngineIsRefused);
  CPPUNIT_TEST(aNewerEngineThatDroppedOurVersionsIsRefused);
  CPPUNIT_TEST(anEngineOfAnotherVersionIsAskedAgain);
  CPPUNIT_TEST(aSocketThatIsNotThereIsNamed);
  CPPUNIT_TEST(aSocketWithoutListenerIsNamed);
  CPPUNIT_TEST(aHangingEngineIsUnavailableAfterTheLimit);
  CPPUNIT_TEST(aTricklingAnswerDoesNotOutliveTheLimit);
  CPPUNIT_TEST(theCallsDeadlineIsItsOwn);
  CPPUNIT_TEST(aCancelledCallEndsAtOnce);
  CPPUNIT_TEST(aCallWithoutDescriptorIsCancelledToo);
  CPPUNIT_TEST(aTruncatedAnswerIsAnError);
  CPPUNIT_TEST(aBrokenChunkIsAnError);
  CPPUNIT_TEST(whatIsNotHttpIsAnError);
  CPPUNIT_TEST(anAnswerWithoutEndIsBounded);
  CPPUNIT_TEST(aLineWithoutEndIsBounded);
  CPPUNIT_TEST(anEarlyRefusalOfAnUploadIsRead);
  CPPUNIT_TEST(aFailedUploadSendsNoEnd);
  CPPUNIT_TEST(anotherMachinesEngineIsRefused);
  CPPUNIT_TEST(textIsEncodedForAUrl);
  CPPUNIT_TEST_SUITE_END();

 public:
  void anAnswerComesBackWhole() {
    const std::string large(300000, 'x');
    FakeEngine fake([&](const Heard& heard) {
      return heard.line.find("/thing") != std::string::npos ? chunks(200, {large, "end"}) : Reply{};
    });
    Engine engine("unix://" + fake.socket(), milliseconds(5000));
    SimpleCall call;
    const Answer answer = engine.ask(call, question());
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    CPPUNIT_ASSERT(answer.body == large + "\nend\n");
  }

  void theVersionIsNegotiatedOnce() {
    std::atomic<int> versions{0};
    FakeEngine fake(
        [&](const Heard& heard) {
          if (heard.line.find("/version") == std::string::npos) return json(200, "{}");
          ++versions;
          return json(200, R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})");
        },
        true);
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    engine.ask(call, question());
    engine.ask(call, question());
    CPPUNIT_ASSERT_EQUAL(1, versions.load());
    CPPUNIT_ASSERT_EQUAL(std::string("GET /v1.41/thing"), fake.heard().back());
  }

  void anOlderEngineIsRefused() {
    FakeEngine fake([](const Heard&) { return json(200, R"({"ApiVersion":"1.39","MinAPIVersion":"1.12"})"); }, true);
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    contains(refused(Status::unsupported, [&] { engine.ask(call, question()); }), "upgrade the engine");
  }

  void aNewerEngineThatDroppedOurVersionsIsRefused() {
    FakeEngine fake([](const Heard&) { return json(200, R"({"ApiVersion":"1.99","MinAPIVersion":"1.90"})"); }, true);
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    contains(refused(Status::unsupported, [&] { engine.ask(call, question()); }), "upgrade Ocelot");
  }

  void anEngineOfAnotherVersionIsAskedAgain() {
    std::atomic<bool> upgraded{false};
    FakeEngine fake(
        [&](const Heard& heard) {
          if (heard.line.find("/version") != std::string::npos) {
            return json(200, upgraded ? R"({"ApiVersion":"1.45","MinAPIVersion":"1.44"})" : R"({"ApiVersion":"1.41"})");
          }
          if (heard.line.find("/v1.41/") != std::string::npos && upgraded) {
            return json(400, R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.44"})");
          }
          return json(200, "{}");
        },
        true);
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    engine.ask(call, question());
    upgraded = true;
    CPPUNIT_ASSERT_EQUAL(200, engine.ask(call, question()).status);
    CPPUNIT_ASSERT_EQUAL(std::string("GET /v1.45/thing"), fake.heard().back());
  }

  void aSocketThatIsNotThereIsNamed() {
    Engine engine("/nonexistent/docker.sock", milliseconds(5000));
    SimpleCall call;
    const std::string said = refused(Status::unavailable, [&] { engine.negotiate(call); });
    contains(said, "unix:///nonexistent/docker.sock: there is no such socket; start the engine");
    contains(said, "asking for the engine's version");
  }

  void aSocketWithoutListenerIsNamed() {
    const Folder folder;
    std::filesystem::create_directory(folder.path("x"));
    {
      FakeEngine fake([](const Heard&) { return Reply{}; });
      std::filesystem::create_hard_link(fake.socket(), folder.path("x/sock"));
    }
    Engine engine(folder.path("x/sock"), milliseconds(5000));
    SimpleCall call;
    contains(refused(Status::unavailable, [&] { engine.negotiate(call); }), "nobody listens there");
  }

  void aHangingEngineIsUnavailableAfterTheLimit() {
    FakeEngine fake(always({"", true}));
    Engine engine(fake.socket(), milliseconds(150));
    SimpleCall call;
    const std::string said = refused(Status::unavailable, [&] { engine.ask(call, question()); });
    contains(said, "asking for a thing, on unix://" + fake.socket() + ": no answer within 150 ms");
  }

  void aTricklingAnswerDoesNotOutliveTheLimit() {
    // The head promises more than will come; what came reset every read time-out.
    FakeEngine fake(always({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":", true}));
    Engine engine(fake.socket(), milliseconds(150));
    SimpleCall call;
    contains(refused(Status::unavailable, [&] { engine.ask(call, question()); }), "no answer within 150 ms");
  }

  void theCallsDeadlineIsItsOwn() {
    FakeEngine fake(always({"", true}));
    Engine engine(fake.socket(), milliseconds(60000));
    SimpleCall call(milliseconds(150));
    contains(refused(Status::cancelled, [&] { engine.ask(call, question()); }),
             "deadline passed while asking for a thing");
  }

  void aCancelledCallEndsAtOnce() {
    FakeEngine fake(always({"", true}));
    Engine engine(fake.socket(), milliseconds(60000));
    CancellableCall call;
    auto asked = std::async(std::launch::async,
                            [&] { return refused(Status::cancelled, [&] { engine.ask(call, question()); }); });
    fake.awaitRequest("/thing");
    call.cancel();
    contains(asked.get(), "cancelled while asking for a thing");
  }

  void aCallWithoutDescriptorIsCancelledToo() {
    class FlagCall final : public Call {
     public:
      std::atomic<bool> flag{false};
      Clock::time_point deadline() const override { return Clock::time_point::max(); }
      bool cancelled() const override { return flag; }
      int cancelFd() const override { return -1; }
      void log(LogLevel, std::string_view) override {}
    };
    FakeEngine fake(always({"", true}));
    Engine engine(fake.socket(), milliseconds(60000));
    FlagCall call;
    auto asked = std::async(std::launch::async,
                            [&] { return refused(Status::cancelled, [&] { engine.ask(call, question()); }); });
    fake.awaitRequest("/thing");
    call.flag = true;
    asked.get();
  }

  void aTruncatedAnswerIsAnError() {
    for (const std::string bytes :
         {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"}) {
      FakeEngine fake(always({bytes, false}));
      Engine engine(fake.socket(), milliseconds(5000));
      SimpleCall call;
      const std::string said = refused(Status::unavailable, [&] { engine.ask(call, question()); });
      contains(said, "asking for a thing");
    }
  }

  void aBrokenChunkIsAnError() {
    // Poco takes a size that is none for the end. The JSON is not whole then, which findings are made from.
    FakeEngine fake(
        always({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{\"message\":1}\r\n0\r\n\r\n", false}));
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    CPPUNIT_ASSERT_EQUAL(std::string(), engine.ask(call, question()).body);
  }

  void whatIsNotHttpIsAnError() {
    for (const std::string& bytes : {std::string("SSH-2.0-OpenSSH_9.2\r\n\r\n"), std::string(100000, 'x'),
                                     std::string("HTTP/1.1 200 OK\r\n") + std::string(50000, 'h') + ": x\r\n\r\n"}) {
      FakeEngine fake(always({bytes, false}));
      Engine engine(fake.socket(), milliseconds(5000));
      SimpleCall call;
      refused(Status::unavailable, [&] { engine.ask(call, question()); });
    }
  }

  void anAnswerWithoutEndIsBounded() {
    FakeEngine fake(always(json(200, std::string(2u << 20, ' '))));
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    Question asked = question();
    asked.most = 1u << 20;
    contains(refused(Status::invalid, [&] { engine.ask(call, asked); }), "longer than 1024 KiB");
  }

  void aLineWithoutEndIsBounded() {
    FakeEngine fake(always(json(200, std::string(3u << 20, ' '))));
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    Question asked = question();
    asked.lines = [](const std::string&) {};
    contains(refused(Status::invalid, [&] { engine.ask(call, asked); }), "a line longer than 1 MiB");
  }

  void anEarlyRefusalOfAnUploadIsRead() {
    FakeEngine fake(always(json(400, R"({"message":"no such format"})")));
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    Question asked = question();
    asked.method = "POST";
    // The fake reads a chunk that ends like a body, answers and hangs up; the rest meets a closed socket.
    int given = 0;
    asked.upload = [&](const Put& put) {
      const std::string end = std::string(4096, 'x') + "0\r\n\r\n", more(65536, 'x');
      bool wanted = put(end.data(), end.size());
      for (; wanted && given < 1000; ++given) wanted = put(more.data(), more.size());
    };
    const Answer answer = engine.ask(call, asked);
    CPPUNIT_ASSERT_EQUAL(std::string("no such format"), answer.message());
    CPPUNIT_ASSERT(given < 1000);
  }

  void aFailedUploadSendsNoEnd() {
    FakeEngine fake(always(json(200, "{}")));
    Engine engine(fake.socket(), milliseconds(5000));
    SimpleCall call;
    Question asked = question();
    asked.method = "POST";
    asked.upload = [](const Put& put) {
      const std::string half = "half a tar" + std::string(100000, 'x');
      put(half.data(), half.size());
      throw Error(Status::invalid, "the source is damaged");
    };
    contains(refused(Status::invalid, [&] { engine.ask(call, asked); }), "the source is damaged");
    fake.awaitRequest("/thing");
    const std::string body = fake.lastBody("/thing");
    contains(body, "half a tar");
    CPPUNIT_ASSERT_MESSAGE(body, body.find("0\r\n\r\n") == std::string::npos);
  }

  void anotherMachinesEngineIsRefused() {
    for (const std::string socket : {"tcp://1.2.3.4:2375", "ssh://a@b", "docker.sock", "", "unix://"}) {
      contains(refused(Status::invalid, [&] { Engine(socket, milliseconds(1)); }), "socket: ");
    }
    refused(Status::invalid, [] { Engine("/" + std::string(200, 'a'), milliseconds(1)); });
  }

  void textIsEncodedForAUrl() {
    CPPUNIT_ASSERT_EQUAL(std::string("a%2F%3F%23%20%00%C3%A9-._~"), urlEncoded(std::string("a/?# \0\xc3\xa9-._~", 12)));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(EngineTest);

}  // namespace ocelot::docker::test
