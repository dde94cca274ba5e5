#include "host/digest/digest.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

namespace digest = ocelot::digest;

class DigestTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DigestTest);
  CPPUNIT_TEST(knownDigests);
  CPPUNIT_TEST(partsComeToTheSameAsTheWhole);
  CPPUNIT_TEST(knownAuthenticationCodes);
  CPPUNIT_TEST(equalMeansEveryByte);
  CPPUNIT_TEST_SUITE_END();

 public:
  // FIPS 180-4's examples.
  void knownDigests() {
    CPPUNIT_ASSERT_EQUAL(std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
                         digest::sha256Hex(""));
    CPPUNIT_ASSERT_EQUAL(std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                         digest::sha256Hex("abc"));
    CPPUNIT_ASSERT(digest::sha256Hex(std::string("abc\0", 4)) != digest::sha256Hex("abc"));
  }

  void partsComeToTheSameAsTheWhole() {
    digest::Sha256 parts, none;
    for (const char* part : {"a", "", "bc"}) parts.add(part);
    CPPUNIT_ASSERT_EQUAL(digest::sha256Hex("abc"), parts.hex());
    CPPUNIT_ASSERT_EQUAL(digest::sha256Hex(""), none.hex());
  }

  // RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
  void knownAuthenticationCodes() {
    CPPUNIT_ASSERT_EQUAL(std::string("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
                         digest::hmacSha256Hex(std::string(20, '\x0b'), "Hi There"));
    CPPUNIT_ASSERT_EQUAL(std::string("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
                         digest::hmacSha256Hex("Jefe", "what do ya want for nothing?"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        digest::hmacSha256Hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"));
    CPPUNIT_ASSERT_EQUAL(digest::hmacSha256Hex("", ""), digest::hex(digest::hmacSha256("", "")));
  }

  void equalMeansEveryByte() {
    CPPUNIT_ASSERT(digest::equal("", ""));
    CPPUNIT_ASSERT(digest::equal(std::string("a\0b", 3), std::string("a\0b", 3)));
    CPPUNIT_ASSERT(!digest::equal(std::string("a\0b", 3), std::string("a\0c", 3)));
    CPPUNIT_ASSERT(!digest::equal("abc", "ab"));
    CPPUNIT_ASSERT(!digest::equal("abc", "bbc"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DigestTest);

}  // namespace
