// A subscription's end: a wake-up that crosses it on the wire is given back, not kept until nsqd's time-out of
// messages.

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>

#include "host/queue/nsq/frame.hpp"
#include "host/queue/queue.hpp"
#include "tests/support/loopback.hpp"
#include "tests/unit/queue/server_frame.hpp"

using namespace ocelot;
using test::serverFrame;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

std::string message(const std::string& id) { return serverFrame(2, std::string(8, '\0') + "\0\1"s + id + "1"); }

constexpr int kResponse = 0;

// One client of an nsqd that goes on sending: what it was told, once the client has closed.
class Client {
 public:
  explicit Client(const test::Loopback& listener) : fd_(::accept(listener.fd(), nullptr, nullptr)) {}
  ~Client() { ::close(fd_); }

  void send(const std::string& bytes) { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Reads until this came, or the client has closed, or too long.
  bool hear(const std::string& what) {
    while (heard_.find(what) == std::string::npos && more()) {
    }
    return heard_.find(what) != std::string::npos;
  }
  const std::string& all() {
    while (more()) {
    }
    return heard_;
  }

 private:
  bool more() {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, 20'000) <= 0) return false;
    char buffer[4096];
    const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) heard_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }
  const int fd_;
  std::string heard_;
};

class FarewellTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FarewellTest);
  CPPUNIT_TEST(what_comes_after_the_answer_to_the_farewell_is_given_back);
  CPPUNIT_TEST_SUITE_END();

  void what_comes_after_the_answer_to_the_farewell_is_given_back() {
    const test::Loopback listener;
    auto nsqd = std::async(std::launch::async, [&listener] {
      Client client(listener);
      client.hear("IDENTIFY");
      client.send(serverFrame(kResponse, "OK"));
      client.hear("SUB build worker\n");
      client.send(serverFrame(kResponse, "OK"));
      client.hear("RDY ");
      client.send(message("0123456789abcdef"));
      client.hear("CLS\n");
      client.send(serverFrame(kResponse, "CLOSE_WAIT") + message("fedcba9876543210"));
      return client.all();
    });
    queue::NsqSettings settings;
    settings.nsqd.push_back({"127.0.0.1", static_cast<std::uint16_t>(listener.port())});
    auto worker = queue::openNsqQueue(settings);
    CPPUNIT_ASSERT(worker->wait({"build"}, 20s));
    worker.reset();
    const std::string told = nsqd.get();
    CPPUNIT_ASSERT_MESSAGE(told, told.find("REQ 0123456789abcdef 0\n") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(told, told.find("REQ fedcba9876543210 0\n") > told.find("CLS\n"));
    CPPUNIT_ASSERT_MESSAGE(told, told.find("REQ fedcba9876543210 0\n") != std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FarewellTest);

}  // namespace
