#include "host/plugin/address.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include "host/plugin/host_services.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::plugin;

class Addresses : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Addresses);
  CPPUNIT_TEST(onlyWhatEverybodyReachesIsPublic);
  CPPUNIT_TEST(whatIsAllowedIsAllowed);
  CPPUNIT_TEST(aGuardedHostRefusesItsNeighbours);
  CPPUNIT_TEST(digestsAreTheStandards);
  CPPUNIT_TEST_SUITE_END();

 public:
  void onlyWhatEverybodyReachesIsPublic() {
    for (const char* text : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8",
                             "64:ff9b::8.8.8.8", "2002:808:808::1"})
      CPPUNIT_ASSERT_MESSAGE(text, isPublic(addressFrom(text)));
    for (const char* text : {"127.0.0.1",
                             "127.255.255.255",
                             "10.0.0.1",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "0.0.0.0",
                             "255.255.255.255",
                             "224.0.0.1",
                             "192.0.2.1",
                             "198.18.0.1",
                             "::",
                             "::1",
                             "fe80::1",
                             "fe80::1%lo",
                             "fc00::1",
                             "fd12::1",
                             "ff02::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::127.0.0.1",
                             "64:ff9b::10.0.0.1",
                             "2002:7f00:1::",
                             "2001::1",
                             "2001:db8::1"})
      CPPUNIT_ASSERT_MESSAGE(text, !isPublic(addressFrom(text)));
    CPPUNIT_ASSERT_THROW(addressFrom("localhost"), Error);
    CPPUNIT_ASSERT_THROW(addressFrom("0x7f.1"), Error);
  }

  void whatIsAllowedIsAllowed() {
    const AllowedAddresses allowed({"10.1.0.0/16", "192.0.2.7", "fd00::/8", "Git.Example"});
    CPPUNIT_ASSERT(allowed.holds("x", addressFrom("10.1.255.1")));
    CPPUNIT_ASSERT(!allowed.holds("x", addressFrom("10.2.0.1")));
    CPPUNIT_ASSERT(allowed.holds("x", addressFrom("192.0.2.7")) && !allowed.holds("x", addressFrom("192.0.2.8")));
    CPPUNIT_ASSERT(allowed.holds("x", addressFrom("fd12::1")) && !allowed.holds("x", addressFrom("fe80::1")));
    CPPUNIT_ASSERT(allowed.holds("git.EXAMPLE", addressFrom("127.0.0.1")));
    CPPUNIT_ASSERT(!allowed.holds("git.example.evil", addressFrom("127.0.0.1")));
    for (const char* wrong : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "::/129", "a/b", "a b", "10.0.0.0/"})
      CPPUNIT_ASSERT_THROW_MESSAGE(wrong, AllowedAddresses({wrong}), Error);
  }

  void aGuardedHostRefusesItsNeighbours() {
    HostServicesSettings settings;
    settings.public_only = true;
    HostServices guarded(settings);
    SimpleCall call{std::chrono::seconds(10)};
    for (const char* url :
         {"http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/",
          "http://169.254.169.254/latest/meta-data", "http://0.0.0.0:1/", "http://2130706433:1/",
          "http://0x7f000001:1/", "unix:/run/docker.sock", "file:///etc/passwd", "gopher://x/"}) {
      HttpRequest request;
      request.url = url;
      try {
        guarded.http().send(call, request);
        CPPUNIT_FAIL(std::string(url) + " was reached");
      } catch (const Error& error) {
        CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), static_cast<int>(Status::invalid), static_cast<int>(error.status()));
      }
    }
    settings.allowed = {"127.0.0.0/8"};
    HostServices lenient(settings);
    HttpRequest request;
    request.url = "http://127.0.0.1:1/";
    try {
      lenient.http().send(call, request);
      CPPUNIT_FAIL("port 1 answered");
    } catch (const Error& error) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), static_cast<int>(Status::unavailable),
                                   static_cast<int>(error.status()));
    }
  }

  void digestsAreTheStandards() {
    HostServices host;
    const auto hex = [](const std::string& bytes) {
      std::string out;
      for (const unsigned char byte : bytes) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
      }
      return out;
    };
    CPPUNIT_ASSERT_EQUAL(std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                         hex(host.crypto().sha256("abc")));
    CPPUNIT_ASSERT_EQUAL(std::string("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
                         hex(host.crypto().hmacSha256("Jefe", "what do ya want for nothing?")));
    CPPUNIT_ASSERT_EQUAL(std::string("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
                         hex(host.crypto().hmacSha256("", "")));
    CPPUNIT_ASSERT(host.crypto().equal("a", "a") && !host.crypto().equal("a", "b") && !host.crypto().equal("a", "ab"));
    CPPUNIT_ASSERT(host.crypto().equal("", ""));
    CPPUNIT_ASSERT(host.crypto().random(32) != host.crypto().random(32));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, host.crypto().random(0).size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Addresses);

}  // namespace
