#include "host/runtimes/registry_access.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::runtimes;

class RegistryAccessTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RegistryAccessTest);
  CPPUNIT_TEST(aRegistryHasOneNameHoweverItIsWritten);
  CPPUNIT_TEST(whatIsNoRegistryHasNone);
  CPPUNIT_TEST(aCredentialIsUserAndPassword);
  CPPUNIT_TEST(anImageFindsTheCredentialOfItsRegistryAlone);
  CPPUNIT_TEST(anEnvelopeCarriesIt);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aRegistryHasOneNameHoweverItIsWritten() {
    CPPUNIT_ASSERT_EQUAL(std::string("registry/registry.example.org_5000"),
                         registrySecret("Registry.Example.org:5000"));
    CPPUNIT_ASSERT_EQUAL(std::string("registry/docker.io"), registrySecret("index.docker.io"));
    CPPUNIT_ASSERT_EQUAL(std::string("registry/localhost"), registrySecret("localhost"));
    CPPUNIT_ASSERT_EQUAL(std::string("registry.example.org:5000"),
                         registryOfSecret(registrySecret("registry.example.org:5000")));
  }

  void whatIsNoRegistryHasNone() {
    for (const char* bad : {"", "debian", "https://registry.example.org", "registry.example.org/team", "[::1]:5000",
                            "a.b:99999", "../x.y", "user@a.b", "a.b\n", "169.254.169.254"})
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, registrySecret(bad), std::invalid_argument);
  }

  void aCredentialIsUserAndPassword() {
    const auto got = registryAccessFrom("robot$ci:a:b c");
    CPPUNIT_ASSERT_EQUAL(std::string("robot$ci"), got.username);
    CPPUNIT_ASSERT_EQUAL(std::string("a:b c"), got.password);
    for (const char* bad : {"", "hunter2", ":hunter2", "hunter2:", "u:hunter2\nu:x"}) {
      try {
        registryAccessFrom(bad);
        CPPUNIT_FAIL(bad);
      } catch (const std::invalid_argument& error) {
        CPPUNIT_ASSERT(std::string(error.what()).find("hunter2") == std::string::npos);
      }
    }
  }

  void anImageFindsTheCredentialOfItsRegistryAlone() {
    test::Scene scene;
    auto& secrets = *scene.engines.secrets;
    secrets.put(registrySecret("a.example:5000"), "u:p");
    secrets.put(registrySecret("docker.io"), "hub:q");
    CPPUNIT_ASSERT_EQUAL(std::string("p"), registryAccess(secrets, "a.example:5000/team/x@sha256:0").password);
    CPPUNIT_ASSERT_EQUAL(std::string("q"), registryAccess(secrets, "debian:12").password);
    CPPUNIT_ASSERT_EQUAL(std::string("q"), registryAccess(secrets, "team/x").password);
    CPPUNIT_ASSERT_EQUAL(std::string(), registryAccess(secrets, "a.example/team/x").password);
    CPPUNIT_ASSERT_EQUAL(std::string(), registryAccess(secrets, "ocelot.local/x").username);
    CPPUNIT_ASSERT_EQUAL(std::string(), registryAccess(secrets, "[::1]:5000/x").username);
  }

  void anEnvelopeCarriesIt() {
    builddir::Envelope envelope;
    envelope.registry = {"u\"", "p\\\n"};
    const auto got = builddir::decodeEnvelope(builddir::encode(envelope)).registry;
    CPPUNIT_ASSERT_EQUAL(envelope.registry.username, got.username);
    CPPUNIT_ASSERT_EQUAL(envelope.registry.password, got.password);
    CPPUNIT_ASSERT(builddir::decodeEnvelope("{}").registry.username.empty());  // of the version before
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RegistryAccessTest);

}  // namespace
