// Secrets of this machine's own store: no server is asked.

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>

#include "tests/unit/cli/ran.hpp"

using ocelot::test::contains;

namespace {

class SecretTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SecretTest);
  CPPUNIT_TEST(itIsNobodysWhenItIsTwosAtOnce);
  CPPUNIT_TEST(ocelotsOwnKeysAreNotTouched);
  CPPUNIT_TEST(whatIsNoRegistryIsRefused);
  CPPUNIT_TEST(aCredentialIsKeptListedAndRemoved);
  CPPUNIT_TEST_SUITE_END();

 public:
  void itIsNobodysWhenItIsTwosAtOnce() {
    const ocelot::test::Person person;
    const auto ran = ocelot::test::ocelot({"secret", "set", "a", "--system", "--registry"});
    CPPUNIT_ASSERT_EQUAL(2, ran.status);
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "one of --repo, --system and --registry"));
  }

  void ocelotsOwnKeysAreNotTouched() {
    const ocelot::test::Person person;
    for (const char* name : {"ticket-key", "hook/6f9619ff"}) {
      const auto ran = ocelot::test::ocelot({"secret", "set", name, "--system"});
      CPPUNIT_ASSERT_EQUAL(2, ran.status);
      CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "is Ocelot's own"));
    }
    CPPUNIT_ASSERT(!std::filesystem::exists(person.folder() + "/data"));
  }

  void whatIsNoRegistryIsRefused() {
    const ocelot::test::Person person;
    const auto ran = ocelot::test::ocelot({"secret", "set", "https://registry.example.org", "--registry"});
    CPPUNIT_ASSERT_EQUAL(2, ran.status);
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "is not a registry: write HOST or HOST:PORT"));
  }

  void aCredentialIsKeptListedAndRemoved() {
    const ocelot::test::Person person;
    {
      const ocelot::test::Typed typed(person.file("credential", "robot:s3cret-word\n"));
      const auto ran = ocelot::test::ocelot({"secret", "set", "registry.example.org:5000", "--registry"});
      CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 0, ran.status);
      CPPUNIT_ASSERT_MESSAGE(ran.err, !contains(ran.err + ran.out, "s3cret"));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("registry.example.org:5000\n"),
                         ocelot::test::ocelot({"secret", "list", "--registry"}).out);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"secrets\":[]}\n"),
                         ocelot::test::ocelot({"secret", "list", "--system", "--json"}).out);
    CPPUNIT_ASSERT_EQUAL(0,
                         ocelot::test::ocelot({"secret", "remove", "registry.example.org:5000", "--registry"}).status);
    const auto again = ocelot::test::ocelot({"secret", "remove", "registry.example.org:5000", "--registry"});
    CPPUNIT_ASSERT_EQUAL(2, again.status);
    CPPUNIT_ASSERT_MESSAGE(again.err, contains(again.err, "ocelot secret list --registry"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SecretTest);

}  // namespace
