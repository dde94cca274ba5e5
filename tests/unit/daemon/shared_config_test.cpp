#include "host/daemon/shared_config.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "tests/support/fake_consul.hpp"
#include "tests/support/temp_folder.hpp"

using namespace ocelot;
using namespace ocelot::test;
using daemon::SharedConfig;

namespace {

consul::ConsulSettings at(const FakeConsul& consul) {
  consul::ConsulSettings settings;
  settings.url = consul.server().url();
  settings.token = "acl-token";
  settings.timeout = std::chrono::milliseconds(10000);
  return settings;
}

std::string contentOf(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Counts what a watch tells, and waits for it.
class Changes {
 public:
  void happened() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool reach(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace

class SharedConfigTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SharedConfigTest);
  CPPUNIT_TEST(theDocumentIsALayerWithItsLines);
  CPPUNIT_TEST(whatIsEachMachinesOwnIsRefused);
  CPPUNIT_TEST(whatWasGoodIsKeptForWhenConsulIsAway);
  CPPUNIT_TEST(oddAnswersAreConsulBeingAway);
  CPPUNIT_TEST(aChangeIsToldAndAnEmptyReturnIsNot);
  CPPUNIT_TEST(aReturnOfConsulIsSeenAtOnce);
  CPPUNIT_TEST_SUITE_END();

 public:
  void theDocumentIsALayerWithItsLines() {
    FakeConsul consul("log:\n  level: debug\n");
    TempFolder folder;
    SharedConfig shared(at(consul), folder.path + "/kept");
    std::vector<config::Problem> problems;
    const auto layer = shared.read(problems);
    CPPUNIT_ASSERT(problems.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, layer.size());
    CPPUNIT_ASSERT_EQUAL(std::string("log.level"), layer[0].key);
    CPPUNIT_ASSERT_EQUAL(std::string("consul:ocelot/config:2"), layer[0].value.where);
    const auto asked = consul.server().asked().at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("acl-token"), asked.header("x-consul-token"));
    CPPUNIT_ASSERT_EQUAL(std::string("/v1/kv/ocelot/config?raw=1"), asked.target);
  }

  void whatIsEachMachinesOwnIsRefused() {
    FakeConsul consul("data_dir: /x\nconsul: {url: 'http://elsewhere:8500'}\nlog: {level: info}\n");
    TempFolder folder;
    SharedConfig shared(at(consul), folder.path + "/kept");
    std::vector<config::Problem> problems;
    shared.read(problems);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, problems.size());
    CPPUNIT_ASSERT_EQUAL(std::string("consul:ocelot/config:1"), problems[0].where);
    CPPUNIT_ASSERT(contains(problems[1].what, "cannot be shared"));
  }

  void whatWasGoodIsKeptForWhenConsulIsAway() {
    TempFolder folder;
    const std::string kept = folder.path + "/kept";
    std::vector<config::Problem> problems;
    {
      FakeConsul consul("log: {level: debug}\n");
      SharedConfig shared(at(consul), kept);
      shared.read(problems);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("nobody has said that it is good", std::string(), contentOf(kept));
      shared.good();
      CPPUNIT_ASSERT_EQUAL(std::string("log: {level: debug}\n"), contentOf(kept));
    }
    consul::ConsulSettings nowhere;
    nowhere.url = "http://127.0.0.1:1";
    SharedConfig shared(nowhere, kept);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, shared.read(problems).size());
    CPPUNIT_ASSERT(contains(shared.whyNot(), "the last known shared configuration is used"));
    SharedConfig first(nowhere, folder.path + "/none");
    CPPUNIT_ASSERT_THROW(first.read(problems), consul::Unavailable);
  }

  void oddAnswersAreConsulBeingAway() {
    FakeConsul consul("log: {level: debug}\n");
    TempFolder folder;
    SharedConfig shared(at(consul), folder.path + "/kept");
    std::vector<config::Problem> problems;
    shared.read(problems);
    shared.good();
    const std::pair<std::string, std::string> cases[] = {
        {answer(500, "No cluster leader"), "500 No cluster leader"},
        {answer(403, "Permission denied"), "ACL token"},
        {answer(429, ""), "429"},
        {answer(301, "", "Location: http://127.0.0.1:1/\r\n"), "a redirect, which is not followed"},
        {answer(200, std::string(600 << 10, '#')), "at most 524288"},
        {answer(200, std::string(9 << 20, '#')), "longer than"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nlog", "cut off"},
    };
    for (const auto& [odd, said] : cases) {
      consul.answerWith(odd);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("what was kept is used", std::size_t{1}, shared.read(problems).size());
      CPPUNIT_ASSERT_MESSAGE(said + " in: " + shared.whyNot(), contains(shared.whyNot(), said));
    }
    consul.answerWith("");
    shared.read(problems);
    CPPUNIT_ASSERT_EQUAL(std::string(), shared.whyNot());
    CPPUNIT_ASSERT(problems.empty());
  }

  void aChangeIsToldAndAnEmptyReturnIsNot() {
    FakeConsul consul("log: {level: debug}\n");
    TempFolder folder;
    SharedConfig shared(at(consul), folder.path + "/kept");
    std::vector<config::Problem> problems;
    shared.read(problems);
    Changes changes;
    shared.watch([&] { changes.happened(); });
    consul.put("log: {level: debug}\n");  // the index moves, the document does not
    consul.put("log: {level: info}\n");
    CPPUNIT_ASSERT(changes.reach(1));
    consul.put("");
    CPPUNIT_ASSERT(changes.reach(2));
    shared.refused("consul:ocelot/config:1: no such key");
    CPPUNIT_ASSERT(contains(shared.whyNot(), "the last good one is used"));
    shared.read(problems);
    shared.good();
    CPPUNIT_ASSERT_EQUAL(std::string(), shared.whyNot());
    CPPUNIT_ASSERT_EQUAL(std::string(), contentOf(folder.path + "/kept"));
  }

  static void until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
      CPPUNIT_ASSERT_MESSAGE("waited in vain", std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
  }

  void aReturnOfConsulIsSeenAtOnce() {
    FakeConsul consul("log: {level: debug}\n");
    TempFolder folder;
    SharedConfig shared(at(consul), folder.path + "/kept");
    std::vector<config::Problem> problems;
    shared.read(problems);
    shared.watch([] {});
    consul.answerWith(answer(500, "no leader"));
    until([&] { return !shared.whyNot().empty(); });
    // Nothing has changed meanwhile, and nothing will.
    consul.comeBack();
    until([&] { return shared.whyNot().empty(); });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SharedConfigTest);
