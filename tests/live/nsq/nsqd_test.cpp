// The NSQ queue at real servers: several nsqd, one killed; discovery by nsqlookupd; TLS; authorization.

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "host/queue/queue.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/fake_http.hpp"
#include "tests/support/nsqd.hpp"
#include "tests/support/skip.hpp"

using namespace ocelot;
using namespace std::chrono_literals;
using test::Nsqd;

namespace {

queue::NsqSettings at(std::initializer_list<const Nsqd*> servers) {
  queue::NsqSettings settings;
  for (const auto* one : servers) settings.nsqd.push_back({"127.0.0.1", static_cast<std::uint16_t>(one->port())});
  return settings;
}

void until(const std::string& what, const std::function<bool()>& holds) {
  for (int i = 0; i < 3000 && !holds(); ++i) ::poll(nullptr, 0, 10);
  CPPUNIT_ASSERT_MESSAGE("still not so after half a minute: " + what, holds());
}

std::string failureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const queue::Unavailable& away) {
    return away.what();
  }
  return "";
}

// nsqlookupd of the test's own.
class Nsqlookupd {
 public:
  Nsqlookupd() : tcp_(test::freePortOfLoopback()), http_(test::freePortOfLoopback()) { start(); }
  ~Nsqlookupd() { kill(); }
  void start() {
    const std::string program = test::engineProgram("OCELOT_TEST_NSQLOOKUPD_PROGRAM", "nsqlookupd");
    if (program.empty()) test::skip("there is no nsqlookupd: scripts/engines start nsq brings it");
    pid_ = test::spawn({program, "-tcp-address=" + tcp(), "-http-address=127.0.0.1:" + std::to_string(http_),
                        "-broadcast-address=127.0.0.1"},
                       folder_.path + "/log");
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  std::string tcp() const { return "127.0.0.1:" + std::to_string(tcp_); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(http_); }

 private:
  test::TempFolder folder_;
  const int tcp_, http_;
  pid_t pid_ = -1;
};

// An authorization server as nsqd asks it: the secret "right" may do everything with topics that begin with "build".
std::string authorize(const test::Asked& asked) {
  if (asked.target.find("secret=right") == std::string::npos)
    return test::answer(403, R"({"message":"NOT_AUTHORIZED"})");
  return test::answer(200,
                      R"({"ttl":3600,"identity":"ocelot","authorizations":[{"permissions":["subscribe","publish"],)"
                      R"("topic":"build.*","channels":[".*"]}]})");
}

class NsqdTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NsqdTest);
  CPPUNIT_TEST(wake_ups_come_from_every_nsqd);
  CPPUNIT_TEST(with_one_of_two_killed_everything_goes_on);
  CPPUNIT_TEST(one_of_two_away_is_a_warning);
  CPPUNIT_TEST(what_was_in_the_one_killed_wakes_all_the_same);
  CPPUNIT_TEST(nsqd_away_and_back_is_told);
  CPPUNIT_TEST(nothing_is_left_under_way_at_nsqd);
  CPPUNIT_TEST(many_builds_are_as_many_messages);
  CPPUNIT_TEST(five_hundred_wake_ups_are_spent_without_one_left);
  CPPUNIT_TEST(nsqlookupd_names_the_nsqd);
  CPPUNIT_TEST(nsqlookupd_away_the_last_answer_holds);
  CPPUNIT_TEST(tls_is_spoken_where_it_is_required);
  CPPUNIT_TEST(a_certificate_that_nobody_vouches_for_is_refused);
  CPPUNIT_TEST(a_certificate_of_another_host_is_refused);
  CPPUNIT_TEST(nsqd_may_ask_for_our_certificate);
  CPPUNIT_TEST(authorization_is_given);
  CPPUNIT_TEST(a_wrong_secret_is_told);
  CPPUNIT_TEST_SUITE_END();

  void wake_ups_come_from_every_nsqd() {
    const Nsqd one, two;
    const auto worker = queue::openNsqQueue(at({&one, &two}));
    for (const auto* server : {&one, &two}) {
      queue::openNsqQueue(at({server}))->publish("build");
      CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    }
    CPPUNIT_ASSERT(!worker->wait({"build"}, 0ms));
  }

  void with_one_of_two_killed_everything_goes_on() {
    Nsqd one, two;
    const auto worker = queue::openNsqQueue(at({&one, &two}));
    const auto admin = queue::openNsqQueue(at({&one, &two}));
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    for (auto* dead : {&one, &two}) {
      dead->kill();
      for (int i = 0; i < 5; ++i) {
        admin->publish("build");
        CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
      }
      CPPUNIT_ASSERT_EQUAL(std::string(), admin->trouble());
      CPPUNIT_ASSERT_EQUAL(std::string(), worker->trouble());
      dead->wipe();
      dead->start();
      // Back in the worker's hands before the other goes.
      until("the worker listens there again", [&] {
        worker->wait({"build"}, 10ms);
        return dead->get("/stats?format=json&topic=build").find("\"client_count\":1") != std::string::npos;
      });
    }
  }

  void one_of_two_away_is_a_warning() {
    Nsqd one, two;
    const auto worker = queue::openNsqQueue(at({&one, &two}));
    const auto admin = queue::openNsqQueue(at({&one, &two}));
    const auto look = [&] {
      worker->wait({"build"}, 10ms);
      return std::vector<std::string>{admin->warning(), worker->warning()};
    };
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    until("all is well", [&] { return look() == std::vector<std::string>(2); });
    two.kill();
    until("both name the one that is away", [&] {
      const auto said = look();
      return said[0].find(two.address()) != std::string::npos && said[1].find(two.address()) != std::string::npos;
    });
    for (const auto& said : look()) CPPUNIT_ASSERT_MESSAGE(said, said.find(one.address()) == std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(), admin->trouble());
    CPPUNIT_ASSERT_EQUAL(std::string(), worker->trouble());
    two.start();
    until("all is well again", [&] { return look() == std::vector<std::string>(2); });
  }

  void what_was_in_the_one_killed_wakes_all_the_same() {
    Nsqd nsqd;
    const auto worker = queue::openNsqQueue(at({&nsqd}));
    const auto admin = queue::openNsqQueue(at({&nsqd}));
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    worker->wait({}, 0ms);  // busy
    admin->publish("build");
    nsqd.kill();
    nsqd.wipe();
    CPPUNIT_ASSERT_MESSAGE("a loss is a reason to look", worker->wait({"build"}, 10s));
    nsqd.start();
    CPPUNIT_ASSERT_MESSAGE("and so is the return", worker->wait({"build"}, 30s));
  }

  void nsqd_away_and_back_is_told() {
    Nsqd nsqd;
    const auto worker = queue::openNsqQueue(at({&nsqd}));
    const auto admin = queue::openNsqQueue(at({&nsqd}));
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    nsqd.kill();
    const std::string failure = failureOf([&] { admin->publish("build"); });
    CPPUNIT_ASSERT_MESSAGE(failure, failure.find("publish build: connect at nsqd " + nsqd.address()) == 0);
    until("the worker says so", [&] { return worker->trouble().find(nsqd.address()) != std::string::npos; });
    CPPUNIT_ASSERT(!admin->trouble().empty());
    nsqd.start();
    until("both have found it", [&] {
      worker->wait({"build"}, 10ms);
      return worker->trouble().empty() && admin->trouble().empty();
    });
    while (worker->wait({"build"}, 100ms)) {
    }
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
  }

  void nothing_is_left_under_way_at_nsqd() {
    const Nsqd nsqd;
    const auto worker = queue::openNsqQueue(at({&nsqd}));
    const auto admin = queue::openNsqQueue(at({&nsqd}));
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    until("it is under way", [&] { return nsqd.inFlight("build") == 1; });
    CPPUNIT_ASSERT(!worker->wait({"build"}, 0ms));
    until("it is finished", [&] { return nsqd.inFlight("build") == 0 && nsqd.depth("build") == 0; });
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    worker->wait({}, 0ms);
    until("it waits for another", [&] { return nsqd.inFlight("build") == 0 && nsqd.depth("build") == 1; });
  }

  void many_builds_are_as_many_messages() {
    const Nsqd nsqd;
    const auto admin = queue::openNsqQueue(at({&nsqd}));
    admin->publish("build", 7);
    until("all are there", [&] { return nsqd.depth("build") == 7; });
    admin->publish("build_gpu", 100000);
    until("no more than wake anybody", [&] { return nsqd.depth("build_gpu") == 64; });
  }

  void five_hundred_wake_ups_are_spent_without_one_left() {
    const Nsqd one, two;
    const auto worker = queue::openNsqQueue(at({&one, &two}));
    const auto admin = queue::openNsqQueue(at({&one, &two}));
    for (int i = 0; i < 10; ++i) admin->publish("build", 50);
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    const auto left = [&] {
      return one.depth("build") + one.inFlight("build") + two.depth("build") + two.inFlight("build");
    };
    while (worker->wait({"build"}, 500ms)) {
    }
    until("none is left", [&] { return left() == 0; });
  }

  void nsqlookupd_names_the_nsqd() {
    const Nsqlookupd lookupd;
    const Nsqd one({"-lookupd-tcp-address=" + lookupd.tcp()}), two({"-lookupd-tcp-address=" + lookupd.tcp()});
    queue::NsqSettings settings;
    settings.nsqlookupd.push_back(lookupd.url());
    const auto worker = queue::openNsqQueue(settings);
    const auto admin = queue::openNsqQueue(settings);
    worker->wait({"build"}, 0ms);
    until("it is known", [&] { return failureOf([&] { admin->publish("build"); }).empty(); });
    CPPUNIT_ASSERT(worker->wait({"build"}, 30s));
    for (const auto* server : {&one, &two}) {
      queue::openNsqQueue(at({server}))->publish("build");
      CPPUNIT_ASSERT(worker->wait({"build"}, 30s));
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), worker->trouble());
  }

  void nsqlookupd_away_the_last_answer_holds() {
    Nsqlookupd lookupd;
    const Nsqd nsqd({"-lookupd-tcp-address=" + lookupd.tcp()});
    queue::NsqSettings settings;
    settings.nsqlookupd.push_back(lookupd.url());
    const auto worker = queue::openNsqQueue(settings);
    const auto admin = queue::openNsqQueue(settings);
    until("it is known", [&] { return failureOf([&] { admin->publish("build"); }).empty(); });
    CPPUNIT_ASSERT(worker->wait({"build"}, 30s));
    lookupd.kill();
    admin->publish("build");
    CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    const auto late = queue::openNsqQueue(settings);
    const std::string failure = failureOf([&] { late->publish("build"); });
    CPPUNIT_ASSERT_MESSAGE(failure, failure.find("ask nsqlookupd " + lookupd.url()) != std::string::npos);
  }

  static std::vector<std::string> withTls(const test::Certificate& paper) {
    return {"-tls-cert=" + paper.certificate(), "-tls-key=" + paper.key(), "-tls-required=true"};
  }

  void tls_is_spoken_where_it_is_required() {
    const test::Certificate paper("IP:127.0.0.1");
    const Nsqd nsqd(withTls(paper));
    auto settings = at({&nsqd});
    const std::string plain = failureOf([&] { queue::openNsqQueue(settings)->publish("build"); });
    CPPUNIT_ASSERT_MESSAGE(plain, plain.find("E_INVALID") != std::string::npos);
    settings.tls = true;
    settings.ca = paper.certificate();
    const auto worker = queue::openNsqQueue(settings);
    const auto admin = queue::openNsqQueue(settings);
    for (int i = 0; i < 20; ++i) {
      admin->publish("build", 3);
      CPPUNIT_ASSERT(worker->wait({"build"}, 10s));
    }
  }

  void a_certificate_that_nobody_vouches_for_is_refused() {
    const test::Certificate paper("IP:127.0.0.1"), other("IP:127.0.0.1");
    const Nsqd nsqd(withTls(paper));
    auto settings = at({&nsqd});
    settings.tls = true;
    for (const auto& ca : {std::string(), other.certificate()}) {
      settings.ca = ca;
      const std::string failure = failureOf([&] { queue::openNsqQueue(settings)->publish("build"); });
      CPPUNIT_ASSERT_MESSAGE(failure, failure.find("certificate verify failed") != std::string::npos);
    }
  }

  void a_certificate_of_another_host_is_refused() {
    const test::Certificate paper("DNS:nsq.example.org");
    const Nsqd nsqd(withTls(paper));
    auto settings = at({&nsqd});
    settings.tls = true;
    settings.ca = paper.certificate();
    const std::string failure = failureOf([&] { queue::openNsqQueue(settings)->publish("build"); });
    CPPUNIT_ASSERT_MESSAGE(failure, failure.find("IP address mismatch") != std::string::npos);
  }

  void nsqd_may_ask_for_our_certificate() {
    const test::Certificate paper("IP:127.0.0.1"), ours("DNS:worker");
    auto arguments = withTls(paper);
    arguments.push_back("-tls-client-auth-policy=require-verify");
    arguments.push_back("-tls-root-ca-file=" + ours.certificate());
    const Nsqd nsqd(arguments);
    auto settings = at({&nsqd});
    settings.tls = true;
    settings.ca = paper.certificate();
    CPPUNIT_ASSERT(!failureOf([&] { queue::openNsqQueue(settings)->publish("build"); }).empty());
    settings.certificate = ours.certificate();
    settings.key = ours.key();
    queue::openNsqQueue(settings)->publish("build");
    CPPUNIT_ASSERT(queue::openNsqQueue(settings)->wait({"build"}, 10s));
  }

  void authorization_is_given() {
    const test::FakeHttp server(authorize);
    const Nsqd nsqd({"-auth-http-address=" + server.address()});
    auto settings = at({&nsqd});
    settings.auth = "right";
    const auto admin = queue::openNsqQueue(settings);
    admin->publish("build");
    CPPUNIT_ASSERT(queue::openNsqQueue(settings)->wait({"build"}, 10s));
    const std::string failure = failureOf([&] { admin->publish("other"); });
    CPPUNIT_ASSERT_MESSAGE(failure, failure.find("E_UNAUTHORIZED") != std::string::npos);
  }

  void a_wrong_secret_is_told() {
    const test::FakeHttp server(authorize);
    const Nsqd nsqd({"-auth-http-address=" + server.address()});
    auto settings = at({&nsqd});
    settings.auth = "wr0ng-one";
    const auto worker = queue::openNsqQueue(settings);
    const std::string failure = failureOf([&] { queue::openNsqQueue(settings)->publish("build"); });
    CPPUNIT_ASSERT_MESSAGE(failure, failure.find("E_AUTH_FAILED") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE("the secret is told to nobody", failure.find("wr0ng-one") == std::string::npos);
    worker->wait({"build"}, 0ms);
    until("the worker says so", [&] { return worker->trouble().find("E_AUTH_FAILED") != std::string::npos; });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NsqdTest);

}  // namespace
