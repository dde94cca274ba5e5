#include "plugins/runtime/oci/reference.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include "ocelot/call.hpp"

namespace ocelot::oci::test {

class ReferenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReferenceTest);
  CPPUNIT_TEST(shortNamesAreDockerHubs);
  CPPUNIT_TEST(fullNamesStayAsTheyAre);
  CPPUNIT_TEST(whatIsNoNameIsRefused);
  CPPUNIT_TEST(knowsLoopbackAndImportedNames);
  CPPUNIT_TEST_SUITE_END();

 public:
  void shortNamesAreDockerHubs() {
    is("debian:12", "docker.io/library/debian:12");
    is("debian", "docker.io/library/debian:latest");
    is("gcc/tools", "docker.io/gcc/tools:latest");
    is("docker.io/debian", "docker.io/library/debian:latest");
    is("index.docker.io/library/debian:12", "docker.io/library/debian:12");
  }

  void fullNamesStayAsTheyAre() {
    const std::string digest = "@sha256:" + std::string(64, 'a');
    is("registry.example:5000/a/b__c/d-e.f:1.0_x", "registry.example:5000/a/b__c/d-e.f:1.0_x");
    is("localhost/a", "localhost/a:latest");
    is("127.0.0.1:5000/a" + digest, "127.0.0.1:5000/a" + digest);
    is("debian:12" + digest, "docker.io/library/debian:12" + digest);
    is("Registry.Example/a", "registry.example/a:latest");
    is("ocelot.local/base:2", "ocelot.local/base:2");
  }

  void whatIsNoNameIsRefused() {
    for (const char* text : {"",
                             "--privileged",
                             "-v/:/h img",
                             "img;rm",
                             "img rm",
                             "Debian",
                             "a/B",
                             "a:",
                             "a:b:c",
                             ":tag",
                             "a//b",
                             "/a",
                             "a/",
                             "a@",
                             "a@sha256:123",
                             "a@md5:0123",
                             "a@sha256:ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD",
                             "../a",
                             "a/../b",
                             "a.",
                             ".a",
                             "a___b",
                             "a..b",
                             "a\n",
                             "a\tb",
                             "host:port/a",
                             "host:99999/a",
                             "host:0/a",
                             "a.b-/c",
                             "http://a/b",
                             "a:-x",
                             "a:tag/b",
                             "ä",
                             "a$b",
                             "a`b`",
                             "a|b"})
      refused(text);
    refused(std::string(1024, 'a'));
    refused("a:" + std::string(129, 't'));
    refused(std::string("a\0b", 3));
    refused("registry.example/" + std::string(250, 'a'));
  }

  void knowsLoopbackAndImportedNames() {
    CPPUNIT_ASSERT(parseReference("127.0.0.1:5000/a").loopback());
    CPPUNIT_ASSERT(parseReference("localhost:5000/a").loopback());
    CPPUNIT_ASSERT(!parseReference("127.example.org/a").loopback());
    CPPUNIT_ASSERT(!parseReference("localhost.example.org/a").loopback());
    CPPUNIT_ASSERT(parseReference("ocelot.local/a").imported());
    CPPUNIT_ASSERT(!parseReference("ocelot.local.example.org/a").imported());
    CPPUNIT_ASSERT(sameRegistry("host", "host:5000"));
    CPPUNIT_ASSERT(sameRegistry("host:5000", "host:5000"));
    CPPUNIT_ASSERT(!sameRegistry("host:5001", "host:5000"));
    CPPUNIT_ASSERT(!sameRegistry("host", "host.example"));
  }

 private:
  static void is(const std::string& text, const std::string& full) {
    CPPUNIT_ASSERT_EQUAL(full, parseReference(text).full());
    CPPUNIT_ASSERT_EQUAL(full, parseReference(full).full());
  }
  static void refused(const std::string& text) {
    try {
      const std::string full = parseReference(text).full();
      CPPUNIT_FAIL("taken as a name: " + text + " → " + full);
    } catch (const Error& e) {
      CPPUNIT_ASSERT(e.status() == Status::invalid);
      for (const char* c = e.what(); *c; ++c) CPPUNIT_ASSERT(*c != '\n' && *c != '\t');
    }
  }
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::ReferenceTest);
