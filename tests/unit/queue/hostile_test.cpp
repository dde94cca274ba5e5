// A server that is no nsqd, or a bad one: every answer ends in a sentence that names it, none in a hang or a crash.

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "host/queue/queue.hpp"
#include "tests/support/loopback.hpp"
#include "tests/unit/queue/server_frame.hpp"

using namespace ocelot;
using test::serverFrame;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// Sends the same to whoever has sent something, and waits for the other side to close, or closes itself.
class ScriptedServer {
 public:
  ScriptedServer(std::string answer, bool closes)
      : answer_(std::move(answer)), closes_(closes), thread_([this] { serve(); }) {}
  ~ScriptedServer() {
    stop_ = true;
    thread_.join();
  }
  int port() const { return listener_.port(); }

 private:
  void serve() {
    while (!stop_) {
      pollfd ready{listener_.fd(), POLLIN, 0};
      if (::poll(&ready, 1, 10) <= 0) continue;
      const int client = ::accept(listener_.fd(), nullptr, nullptr);
      char buffer[4096];
      if (::recv(client, buffer, sizeof buffer, 0) > 0)
        (void)!::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      for (pollfd one{client, POLLIN, 0}; !closes_ && !stop_;)
        if (::poll(&one, 1, 10) > 0 && ::recv(client, buffer, sizeof buffer, 0) <= 0) break;
      ::close(client);
    }
  }
  const std::string answer_;
  const bool closes_;
  const test::Loopback listener_;
  std::atomic<bool> stop_{false};
  std::thread thread_;  // last: it uses all the others
};

class HostileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HostileTest);
  CPPUNIT_TEST(a_server_that_is_no_nsqd_is_named);
  CPPUNIT_TEST(a_message_that_nobody_asked_for_ends_the_connection);
  CPPUNIT_TEST(an_answer_that_is_no_json_is_shown_without_its_control_characters);
  CPPUNIT_TEST(a_server_without_tls_is_not_spoken_to_in_the_clear);
  CPPUNIT_TEST(a_server_that_wants_authorization_says_what_to_set);
  CPPUNIT_TEST(who_waits_there_is_let_go_in_time);
  CPPUNIT_TEST(nobody_at_all_is_an_error_at_once);
  CPPUNIT_TEST(no_address_at_all_is_refused);
  CPPUNIT_TEST_SUITE_END();

  static queue::NsqSettings at(int port) {
    queue::NsqSettings settings;
    settings.nsqd.push_back({"127.0.0.1", static_cast<std::uint16_t>(port)});
    return settings;
  }

  // The sentence of the failure.
  static std::string publishing(const queue::NsqSettings& settings) {
    const auto queue = queue::openNsqQueue(settings);
    try {
      queue->publish("build");
    } catch (const queue::Unavailable& away) {
      CPPUNIT_ASSERT(!queue->trouble().empty());
      return away.what();
    }
    CPPUNIT_FAIL("it was published");
    return "";
  }

  static void says(const std::string& part, const std::string& sentence) {
    CPPUNIT_ASSERT_MESSAGE(sentence, sentence.find(part) != std::string::npos);
  }

  void a_server_that_is_no_nsqd_is_named() {
    for (const auto& answer : {"HTTP/1.1 400 Bad Request\r\n\r\n"s, "\xff\xff\xff\xff\0\0\0\2"s, "\0\0\0\0\0\0\0\0"s,
                               "\0\0\0\4\0\0\0\x09"s}) {
      const ScriptedServer server(answer, false);
      says("identify at nsqd 127.0.0.1:" + std::to_string(server.port()), publishing(at(server.port())));
    }
    const ScriptedServer closing("", true);
    says("the connection was closed", publishing(at(closing.port())));
  }

  void a_message_that_nobody_asked_for_ends_the_connection() {
    const ScriptedServer server(serverFrame(2, std::string(26, 'a')), false);
    says("a message that nobody asked for", publishing(at(server.port())));
  }

  void an_answer_that_is_no_json_is_shown_without_its_control_characters() {
    const ScriptedServer server(serverFrame(0, "\x1b[31m{"), false);
    const std::string sentence = publishing(at(server.port()));
    says("no JSON", sentence);
    CPPUNIT_ASSERT(sentence.find('\x1b') == std::string::npos);
  }

  void a_server_without_tls_is_not_spoken_to_in_the_clear() {
    auto settings = at(0);
    settings.tls = true;
    settings.auth = "secret";
    for (const auto& answer : {serverFrame(0, "OK"), serverFrame(0, R"({"max_rdy_count":2500,"tls_v1":false})")}) {
      const ScriptedServer server(answer, false);
      settings.nsqd[0].port = static_cast<std::uint16_t>(server.port());
      says("it offers no TLS", publishing(settings));
    }
  }

  void a_server_that_wants_authorization_says_what_to_set() {
    const ScriptedServer server(serverFrame(0, R"({"max_rdy_count":2500,"auth_required":true})"), false);
    says("set queue.auth", publishing(at(server.port())));
  }

  void who_waits_there_is_let_go_in_time() {
    const ScriptedServer server("HTTP/1.1 400 Bad Request\r\n\r\n", true);
    const auto queue = queue::openNsqQueue(at(server.port()));
    CPPUNIT_ASSERT(!queue->wait({"build"}, 50ms));
    for (int i = 0; i < 100 && queue->trouble().find("identify") == std::string::npos; ++i)
      queue->wait({"build"}, 20ms);
    says("identify at nsqd", queue->trouble());
  }

  void nobody_at_all_is_an_error_at_once() {
    const test::Loopback nobody(test::Loopback::Listens::no);
    const auto began = std::chrono::steady_clock::now();
    says("nothing listens there", publishing(at(nobody.port())));
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - began < 2s);
  }

  void no_address_at_all_is_refused() { CPPUNIT_ASSERT_THROW(queue::openNsqQueue({}), std::invalid_argument); }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HostileTest);

}  // namespace
