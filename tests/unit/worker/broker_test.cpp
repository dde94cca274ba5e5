// Secrets are handed to the guest when it asks, when the log masks them, and never by waiting in the build's way.

#include "components/worker/build/broker.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <memory>

#include "components/worker/local_socket.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::test {
namespace {

using std::chrono::milliseconds;
using worker::Broker;

// A store that answers as the test says.
class FakeSource final : public worker::SecretSource {
 public:
  std::function<std::optional<std::string>(const std::string&)> answer = [](const std::string& name) {
    return "value of " + name;
  };
  std::atomic<int> asked{0};
  process::Event stopped;

  std::optional<std::string> find(const std::string& name) override {
    ++asked;
    return answer(name);
  }
  std::string place(const std::string& name) const override { return "the store, at repo/1/" + name; }
  void stop() override { stopped.set(); }
  // Until the broker goes.
  void hang() const {
    pollfd wait{stopped.fd(), POLLIN, 0};
    ::poll(&wait, 1, -1);
  }
};

class Asker {
 public:
  Asker(const std::string& control, const std::string& question)
      : socket_(worker::connectTo(control + "/broker/sock")) {
    CPPUNIT_ASSERT(::send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL) ==
                   static_cast<ssize_t>(question.size()));
  }
  int fd() const { return socket_.get(); }
  // Everything up to the end; "" when nothing comes within the time.
  std::string answer(int timeout_ms = 10000) {
    std::string all;
    char buffer[4096];
    while (true) {
      pollfd wait{socket_.get(), POLLIN, 0};
      if (::poll(&wait, 1, timeout_ms) <= 0) return all;
      const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(got));
    }
  }

 private:
  process::Fd socket_;
};

class BrokerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BrokerTest);
  CPPUNIT_TEST(aValueIsHandedOutWhenTheLogMasksIt);
  CPPUNIT_TEST(aValueIsFetchedOnce);
  CPPUNIT_TEST(whatWasServedBeforeIsNotFetched);
  CPPUNIT_TEST(onlyWhatTheStageNamesIsServed);
  CPPUNIT_TEST(whatIsNotThereOrRefusedIsSaidAndAskedAnew);
  CPPUNIT_TEST(aStoreThatIsAwayIsWaitedForAndTold);
  CPPUNIT_TEST(whatNobodyWaitsForIsNotFetched);
  CPPUNIT_TEST(aStoreThatHangsHoldsUpNobodyElse);
  CPPUNIT_TEST(aVisitorThatSaysNothingHoldsUpNobody);
  CPPUNIT_TEST(noMoreVisitorsThanThereIsRoomFor);
  CPPUNIT_TEST_SUITE_END();

  const TempFolder folder_;
  FakeSource source_;
  std::unique_ptr<Broker> broker_;

  void open(const std::map<std::string, std::string>& served = {}, milliseconds patience = milliseconds(5000)) {
    broker_ = std::make_unique<Broker>(folder_.path, source_, std::vector<std::set<std::string>>{{"A", "B"}, {"C"}},
                                       served, patience);
  }
  Asker ask(const std::string& question) { return Asker(folder_.path, question); }
  // The next words that the build process would take, once there are some.
  std::vector<Broker::Word> words() {
    pollfd wait{broker_->fd(), POLLIN, 0};
    CPPUNIT_ASSERT_MESSAGE("there is a word", ::poll(&wait, 1, 10000) == 1);
    return broker_->take();
  }
  void learn(const std::string& name) {
    const auto taken = words();
    CPPUNIT_ASSERT_EQUAL(name, taken.back().secret);
    broker_->learnt(name);
  }

 public:
  void tearDown() override { broker_.reset(); }

  void aValueIsHandedOutWhenTheLogMasksIt() {
    open();
    Asker asker = ask("GET 0 A\n");
    const auto taken = words();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, taken.size());
    CPPUNIT_ASSERT_EQUAL(std::string("value of A"), taken[0].text);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("not yet", std::string(), asker.answer(50));
    broker_->learnt("A");
    CPPUNIT_ASSERT_EQUAL(std::string("OK 10\nvalue of A"), asker.answer());
  }

  void aValueIsFetchedOnce() {
    open();
    Asker first = ask("GET 0 A\n"), second = ask("GET 0 A\n");
    learn("A");
    CPPUNIT_ASSERT_EQUAL(std::string("OK 10\nvalue of A"), first.answer());
    CPPUNIT_ASSERT_EQUAL(std::string("OK 10\nvalue of A"), second.answer());
    source_.answer = [](const std::string&) { return "another"; };
    CPPUNIT_ASSERT_EQUAL(std::string("OK 10\nvalue of A"), ask("GET 0 A\n").answer());
    CPPUNIT_ASSERT_EQUAL(1, source_.asked.load());
  }

  void whatWasServedBeforeIsNotFetched() {
    open({{"A", "what it was"}});
    CPPUNIT_ASSERT_EQUAL(std::string("OK 11\nwhat it was"), ask("GET 0 A\n").answer());
    CPPUNIT_ASSERT_EQUAL(0, source_.asked.load());
  }

  void onlyWhatTheStageNamesIsServed() {
    open();
    CPPUNIT_ASSERT_EQUAL(std::string("ERR secret C is not among this stage's secrets in ocelot.yml\n"),
                         ask("GET 0 C\n").answer());
    for (const std::string& bad : {std::string("GET 2 A\n"), std::string("GET -1 A\n"), std::string("PUT 0 A\n"),
                                   std::string("GET 0\n"), std::string("\n"), std::string(600, 'x')})
      CPPUNIT_ASSERT_EQUAL(std::string("ERR not a question that this broker understands\n"), ask(bad).answer());
    CPPUNIT_ASSERT_EQUAL(0, source_.asked.load());
  }

  void whatIsNotThereOrRefusedIsSaidAndAskedAnew() {
    open();
    source_.answer = [](const std::string&) { return std::optional<std::string>(); };
    CPPUNIT_ASSERT_EQUAL(std::string("ERR secret A is not there for this repository (the store, at repo/1/A); add it "
                                     "with `ocelot secret set A`\n"),
                         ask("GET 0 A\n").answer());
    source_.answer = [](const std::string&) -> std::optional<std::string> {
      throw secrets::Refused("403 permission\ndenied");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("ERR secret A is not to be had (the store, at repo/1/A): 403 permission denied\n"),
                         ask("GET 0 A\n").answer());
    source_.answer = [](const std::string&) { return "mended"; };
    Asker asker = ask("GET 0 A\n");
    learn("A");
    CPPUNIT_ASSERT_EQUAL(std::string("OK 6\nmended"), asker.answer());
  }

  void aStoreThatIsAwayIsWaitedForAndTold() {
    open();
    std::atomic<bool> away{true};
    source_.answer = [&](const std::string&) -> std::optional<std::string> {
      if (away) throw secrets::Unavailable("it is sealed");
      return "there";
    };
    Asker asker = ask("GET 0 A\n");
    const auto told = words();
    CPPUNIT_ASSERT_EQUAL(std::string("waiting for secret A: it is sealed"), told.at(0).text);
    CPPUNIT_ASSERT(told.at(0).secret.empty());
    away = false;
    const auto there = words();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("told once, and when it is there", std::size_t{2}, there.size());
    CPPUNIT_ASSERT_EQUAL(std::string("secret A is there, after "), there[0].text.substr(0, 25));
    CPPUNIT_ASSERT_EQUAL(std::string("A"), there[1].secret);
    broker_->learnt("A");
    CPPUNIT_ASSERT_EQUAL(std::string("OK 5\nthere"), asker.answer());
    CPPUNIT_ASSERT_EQUAL(2, source_.asked.load());
  }

  void whatNobodyWaitsForIsNotFetched() {
    open();
    source_.answer = [](const std::string& name) -> std::optional<std::string> {
      if (name == "A") throw secrets::Unavailable("it is sealed");
      return "there";
    };
    {
      Asker asker = ask("GET 0 A\n");
      words();
    }
    Asker other = ask("GET 0 B\n");
    learn("B");
    CPPUNIT_ASSERT_EQUAL(std::string("OK 5\nthere"), other.answer());
    source_.answer = [](const std::string&) { return "by now"; };
    pollfd wait{broker_->fd(), POLLIN, 0};
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the stage that asked is over", 0, ::poll(&wait, 1, 700));
  }

  void aStoreThatHangsHoldsUpNobodyElse() {
    open({{"B", "known"}});
    source_.answer = [this](const std::string&) -> std::optional<std::string> {
      source_.hang();
      throw secrets::Unavailable("stopped");
    };
    Asker hanging = ask("GET 0 A\n");
    CPPUNIT_ASSERT_EQUAL(std::string("OK 5\nknown"), ask("GET 0 B\n").answer());
    CPPUNIT_ASSERT(broker_->take().empty());
    broker_.reset();  // does not wait for it either
    CPPUNIT_ASSERT_EQUAL(std::string(), hanging.answer());
  }

  void aVisitorThatSaysNothingHoldsUpNobody() {
    open({{"B", "known"}}, milliseconds(1000));
    std::vector<Asker> silent;
    for (int i = 0; i < 10; ++i) silent.push_back(ask("GE"));
    CPPUNIT_ASSERT_EQUAL(std::string("OK 5\nknown"), ask("GET 0 B\n").answer());
    for (auto& one : silent) CPPUNIT_ASSERT_EQUAL_MESSAGE("and goes", std::string(), one.answer(8000));
  }

  void noMoreVisitorsThanThereIsRoomFor() {
    open({{"B", "known"}});
    source_.answer = [](const std::string&) -> std::optional<std::string> { throw secrets::Unavailable("sealed"); };
    std::vector<Asker> waiting;
    for (int i = 0; i < 32; ++i) waiting.push_back(ask("GET 0 A\n"));
    Asker one_more = ask("GET 0 B\n");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("it waits at the door", std::string(), one_more.answer(100));
    waiting.pop_back();
    CPPUNIT_ASSERT_EQUAL(std::string("OK 5\nknown"), one_more.answer());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BrokerTest);

}  // namespace
}  // namespace ocelot::test
