#include "plugins/runtime/docker/reference.hpp"

#include "tests/unit/docker/fixture.hpp"

namespace ocelot::docker::test {

class ReferenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReferenceTest);
  CPPUNIT_TEST(shortNamesAreOfDockerHub);
  CPPUNIT_TEST(otherRegistriesStayAsTheyAre);
  CPPUNIT_TEST(aDigestIsStrongerThanATag);
  CPPUNIT_TEST(importedImagesAreKnownByTheirRegistry);
  CPPUNIT_TEST(whatIsNoReferenceIsRefused);
  CPPUNIT_TEST_SUITE_END();

  static std::string full(const std::string& text) { return parseReference(text).full(); }

 public:
  void shortNamesAreOfDockerHub() {
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/library/debian:12"), full("debian:12"));
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/library/debian:latest"), full("debian"));
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/a/b:latest"), full("a/b"));
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/library/gcc:12"), full("index.docker.io/gcc:12"));
  }
  void otherRegistriesStayAsTheyAre() {
    CPPUNIT_ASSERT_EQUAL(std::string("registry:5000/a/b__c--d:V1"), full("registry:5000/a/b__c--d:V1"));
    CPPUNIT_ASSERT_EQUAL(std::string("localhost/x:latest"), full("localhost/x"));
    CPPUNIT_ASSERT_EQUAL(std::string("[::1]:5000/x:latest"), full("[::1]:5000/x"));
    CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.1:5000"), parseReference("127.0.0.1:5000/x").registry);
  }
  void aDigestIsStrongerThanATag() {
    const std::string digest = "sha256:" + std::string(64, 'a');
    CPPUNIT_ASSERT_EQUAL("docker.io/library/debian@" + digest, parseReference("debian:12@" + digest).asked());
    CPPUNIT_ASSERT_EQUAL("docker.io/library/debian:12@" + digest, full("debian:12@" + digest));
    CPPUNIT_ASSERT_EQUAL("docker.io/library/debian@" + digest, full("debian@" + digest));
  }
  void importedImagesAreKnownByTheirRegistry() {
    CPPUNIT_ASSERT(parseReference("ocelot.local/base").local());
    CPPUNIT_ASSERT(!parseReference("ocelot.local.example.org/base").local());
  }
  void whatIsNoReferenceIsRefused() {
    for (const std::string text :
         {"",     ":",           "Debian",        "a//b", "a/../b", "a b",  "a?b",  "a#b",        "a:",
          "a:-x", "a@",          "a@sha256:12",   "-a",   "a-",     "a/",   "/a",   "http://a/b", "a:b:c",
          "a\nb", "host:port/x", "host:123456/x", "a%2f", "-h.x/a", "a..b", "a___b"}) {
      refused(Status::invalid, [&] { parseReference(text); });
    }
    refused(Status::invalid, [] { parseReference(std::string(600, 'a')); });
    refused(Status::invalid, [] { parseReference(std::string("a\0b", 3)); });
    contains(refused(Status::invalid, [] { parseReference("Debian"); }), "lower case");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ReferenceTest);

}  // namespace ocelot::docker::test
