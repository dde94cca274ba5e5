// Consul's adapter on a real server: the contract, and what only a real one shows.

#include <cppunit/TestCase.h>
#include <cppunit/TestSuite.h>
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactory.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <cstdlib>

#include "host/discovery/consul_discovery.hpp"
#include "tests/contract/discovery/found.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

std::string variableOrSkip(const char* name, const char* engine) {
  const char* value = std::getenv(name);
  if (!value) skip(std::string(name) + " names no server: scripts/engines start " + engine);
  return value;
}

consul::ConsulSettings settings() {
  consul::ConsulSettings settings;
  settings.url = variableOrSkip("OCELOT_TEST_CONSUL", "consul");
  settings.prefix = "ocelot-test-" + model::newUuid();
  settings.timeout = std::chrono::milliseconds(20000);
  return settings;
}

struct Entry {
  const char* name;
  DiscoveryBody body;
};

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

class OnServer : public CppUnit::TestCase {
 public:
  explicit OnServer(const Entry& entry) : TestCase(std::string("consul ") + entry.name), body_(entry.body) {}
  void runTest() override { body_(*discovery::openConsulDiscovery(settings()), model::newUuid()); }

 private:
  const DiscoveryBody body_;
};

class Factory : public CppUnit::TestFactory {
 public:
  CppUnit::Test* makeTest() override {
    auto* suite = new CppUnit::TestSuite("contract");
    for (const Entry& entry : entries()) suite->addTest(new OnServer(entry));
    return suite;
  }
};

class LiveConsulTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LiveConsulTest);
  CPPUNIT_TEST(aWorkerNotHeardOfIsGone);
  CPPUNIT_TEST(whoRunsWhatStandsInKeysThatGoWithTheWorker);
  CPPUNIT_TEST(aSessionThatWasLostIsReplacedWithItsKeys);
  CPPUNIT_TEST(aCheckThatConsulForgotIsMadeAnew);
  CPPUNIT_TEST(withAccessControlTheLeastPolicyIsEnough);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aWorkerNotHeardOfIsGone() {
    const auto discovery = discovery::openConsulDiscovery(settings(), {std::chrono::seconds(1)});
    const std::string id = model::newUuid();
    discovery->announce(someWorker(id));
    CPPUNIT_ASSERT(discovery->find(id));
    waitUntil("the check has gone critical", [&] { return !discovery->find(id); });
    discovery->announce(someWorker(id));
    CPPUNIT_ASSERT(discovery->find(id));
    discovery->withdraw(id);
  }

  void whoRunsWhatStandsInKeysThatGoWithTheWorker() {
    const auto with = settings();
    consul::Consul consul(with);
    const auto key = [&](const std::string& build) {
      const auto reply = consul.send({"GET", "kv/" + with.prefix + "/builds/" + build, "raw=1", "", {}, nullptr});
      return reply.status == 200 ? reply.body : "";
    };
    const auto discovery = discovery::openConsulDiscovery(with, {std::chrono::seconds(15), std::chrono::seconds(1)});
    const std::string id = model::newUuid();
    discovery->running(id, {"1", "2"});
    CPPUNIT_ASSERT_EQUAL(id, key("1"));
    CPPUNIT_ASSERT_EQUAL(id, key("2"));
    discovery->running(id, {"2", "3"});
    CPPUNIT_ASSERT_EQUAL(std::string(), key("1"));
    CPPUNIT_ASSERT_EQUAL(id, key("3"));
    // Nobody renews: Consul ends the session within twice its time, and its keys with it.
    waitUntil("the dead worker's keys are gone", [&] { return key("2").empty() && key("3").empty(); });
  }

  void aSessionThatWasLostIsReplacedWithItsKeys() {
    const auto with = settings();
    consul::Consul consul(with);
    const std::string id = model::newUuid();
    const auto discovery = discovery::openConsulDiscovery(with);
    discovery->running(id, {"1"});
    const std::string path = "kv/" + with.prefix + "/builds/1";
    const auto entry = consul.json({"GET", path, "", "", {}, nullptr}).items().at(0);
    const std::string session = entry["Session"].text().value();
    consul.send({"PUT", "session/destroy/" + session, "", "", {}, nullptr});
    CPPUNIT_ASSERT_EQUAL(404, consul.send({"GET", path, "", "", {}, nullptr}).status);
    discovery->running(id, {"1"});
    CPPUNIT_ASSERT_EQUAL(200, consul.send({"GET", path, "", "", {}, nullptr}).status);
    discovery->withdraw(id);
    CPPUNIT_ASSERT_EQUAL(404, consul.send({"GET", path, "", "", {}, nullptr}).status);
  }

  void aCheckThatConsulForgotIsMadeAnew() {
    const auto with = settings();
    consul::Consul consul(with);
    const std::string id = model::newUuid();
    const auto discovery = discovery::openConsulDiscovery(with);
    discovery->announce(someWorker(id));
    consul.send({"PUT", "agent/service/deregister/ocelot-worker-" + id, "", "", {}, nullptr});
    CPPUNIT_ASSERT(!discovery->find(id));
    discovery->announce(someWorker(id));
    CPPUNIT_ASSERT(discovery->find(id));
    discovery->withdraw(id);
  }

  void withAccessControlTheLeastPolicyIsEnough() {
    consul::ConsulSettings root;
    root.url = variableOrSkip("OCELOT_TEST_CONSUL_TLS", "consul-acl");
    root.ca_file = variableOrSkip("OCELOT_TEST_CONSUL_CA", "consul-acl");
    root.token = variableOrSkip("OCELOT_TEST_CONSUL_TOKEN", "consul-acl");
    root.prefix = "ocelot-test-" + model::newUuid();
    root.timeout = std::chrono::milliseconds(20000);
    consul::Consul consul(root);
    // As in the handbook, for another prefix.
    const std::string rules = "service \\\"ocelot-worker\\\" { policy = \\\"write\\\" } key_prefix \\\"" + root.prefix +
                              "/\\\" { policy = \\\"write\\\" } session_prefix \\\"\\\" { policy = \\\"write\\\" } "
                              "node_prefix \\\"\\\" { policy = \\\"read\\\" }";
    consul.json(
        {"PUT", "acl/policy", "", "{\"Name\":\"" + root.prefix + "\",\"Rules\":\"" + rules + "\"}", {}, nullptr});
    const auto made =
        consul.json({"PUT", "acl/token", "", "{\"Policies\":[{\"Name\":\"" + root.prefix + "\"}]}", {}, nullptr});
    auto least = root;
    least.token = made["SecretID"].text().value();
    const std::string id = model::newUuid();
    const auto discovery = discovery::openConsulDiscovery(least);
    discovery->announce(someWorker(id));
    discovery->running(id, {"1"});
    CPPUNIT_ASSERT(discovery->find(id));
    auto stranger = root;
    stranger.token = "";
    CPPUNIT_ASSERT_THROW(discovery::openConsulDiscovery(stranger)->announce(someWorker("x")), consul::Unavailable);
    discovery->withdraw(id);
    CPPUNIT_ASSERT(!discovery->find(id));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LiveConsulTest);

}  // namespace

OnConsul::OnConsul(const char* name, DiscoveryBody body) {
  if (entries().empty()) {
    static Factory factory;
    CppUnit::TestFactoryRegistry::getRegistry().registerFactory(&factory);
  }
  entries().push_back({name, body});
}

}  // namespace ocelot::test
