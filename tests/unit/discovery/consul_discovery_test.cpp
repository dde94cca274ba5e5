// Consul's adapter against a server that answers as Consul does, and as it should not.

#include "host/discovery/consul_discovery.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/fake_http.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

const std::string kOne =
    R"([{"Service":{"Tags":["gpu"],"Meta":{"worker":"w1","name":"one","url":"http://w1:7701","slots":"4"}}}])";

class ConsulDiscoveryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ConsulDiscoveryTest);
  CPPUNIT_TEST(whileConsulIsAwayTheLastKnownWorkersAreShown);
  CPPUNIT_TEST(whatIsNoWorkerOfOursIsPassedOver);
  CPPUNIT_TEST(anAnnouncementThatConsulDoesNotTakeIsAFault);
  CPPUNIT_TEST(aKeyThatAnotherSessionHoldsIsAskedForAgain);
  CPPUNIT_TEST_SUITE_END();

  std::string now_ = answer(200, kOne);
  FakeHttp server_{[this](const Asked& asked) {
    if (asked.target == "/v1/session/create") return answer(200, R"({"ID":"s-1"})");
    return now_;
  }};

  std::unique_ptr<discovery::Discovery> open() const {
    consul::ConsulSettings settings;
    settings.url = server_.url();
    settings.timeout = std::chrono::milliseconds(10000);
    return discovery::openConsulDiscovery(settings);
  }

 public:
  void whileConsulIsAwayTheLastKnownWorkersAreShown() {
    const auto discovery = open();
    CPPUNIT_ASSERT_EQUAL(std::string("one"), discovery->find("w1").value().name);
    for (const std::string& odd :
         {answer(500, "No cluster leader"), answer(429, ""), answer(403, "ACL not found"), answer(200, "[{\"Serv"),
          answer(200, "true"), answer(301, "", "Location: http://127.0.0.1:1/\r\n"), std::string(),
          answer(200, "[\"" + std::string(9 << 20, 'x') + "\"]")}) {
      now_ = odd;
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, discovery->workers().size());
    }
    now_ = answer(500, "No cluster leader");
    CPPUNIT_ASSERT(discovery->whyAway().find("No cluster leader") != std::string::npos);
    now_ = answer(200, "\"\"");
    CPPUNIT_ASSERT(discovery->whyAway().find("has no leader") != std::string::npos);
    now_ = answer(200, "[]");
    CPPUNIT_ASSERT(discovery->workers().empty());
  }

  void whatIsNoWorkerOfOursIsPassedOver() {
    now_ = answer(200, R"([7,{"Service":null},{"Service":{"Meta":{"name":"x"}}},
      {"Service":{"Tags":{"a":1},"Meta":{"worker":"w2","slots":"many","started_at":[]}}},
      {"Service":{"Tags":[1,"ok"],"Meta":{"worker":"w3","slots":"-5","name":7}}}])");
    const auto workers = open()->workers();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, workers.size());
    for (const auto& worker : workers) CPPUNIT_ASSERT_EQUAL(0, worker.slots);
  }

  void anAnnouncementThatConsulDoesNotTakeIsAFault() {
    now_ = answer(500, "rpc error");
    discovery::Worker worker;
    worker.id = "w1";
    worker.url = "http://127.0.0.1:7701";
    const auto discovery = open();
    CPPUNIT_ASSERT_THROW(discovery->announce(worker), consul::Unavailable);
    now_ = answer(200, "");
    discovery->announce(worker);
    discovery->announce(worker);
    CPPUNIT_ASSERT_EQUAL(2, server_.count("PUT", "/v1/agent/service/register"));
    CPPUNIT_ASSERT_EQUAL(1, server_.count("PUT", "/v1/agent/check/pass/service:ocelot-worker-w1"));
  }

  void aKeyThatAnotherSessionHoldsIsAskedForAgain() {
    const auto discovery = open();
    now_ = answer(200, "false");
    discovery->running("w1", {"b1"});
    discovery->running("w1", {"b1"});
    CPPUNIT_ASSERT_EQUAL(2, server_.count("PUT", "/v1/kv/ocelot/builds/b1"));
    now_ = answer(200, "true");
    discovery->running("w1", {"b1"});
    discovery->running("w1", {"b1"});
    CPPUNIT_ASSERT_EQUAL(3, server_.count("PUT", "/v1/kv/ocelot/builds/b1"));
    discovery->running("w1", {});
    CPPUNIT_ASSERT_EQUAL(1, server_.count("DELETE", "/v1/kv/ocelot/builds/b1"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ConsulDiscoveryTest);

}  // namespace
