#include "host/pipeline/values.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include "host/pipeline/image_reference.hpp"
#include "host/pipeline/patterns.hpp"
#include "host/pipeline/suggest.hpp"
#include "host/pipeline/text_check.hpp"

namespace {

using namespace ocelot::pipeline;

class ValuesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ValuesTest);
  CPPUNIT_TEST(durations);
  CPPUNIT_TEST(sizes);
  CPPUNIT_TEST(numbers);
  CPPUNIT_TEST(names);
  CPPUNIT_TEST(program_paths);
  CPPUNIT_TEST(image_references_that_are_good);
  CPPUNIT_TEST(image_references_that_are_not);
  CPPUNIT_TEST(patterns_match_the_whole_branch);
  CPPUNIT_TEST(suggestions);
  CPPUNIT_TEST(utf8);
  CPPUNIT_TEST(quotes_are_short_and_printable);
  CPPUNIT_TEST_SUITE_END();

  void durations() {
    CPPUNIT_ASSERT(durationFrom("90s") == 90000);
    CPPUNIT_ASSERT(durationFrom("1h30m") == 5400000);
    CPPUNIT_ASSERT(durationFrom("2d") == 172800000);
    CPPUNIT_ASSERT(durationFrom("1d2h3m4s5ms") == 93784005);
    CPPUNIT_ASSERT(durationFrom("0s") == 0);
    for (const char* bad : {"", "s", "30", "m30", "30 m", " 30m", "1m1h", "1h1h", "-1s", "+1s", "1.5h", "01s", "1y",
                            "99999999999d", "1h3"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !durationFrom(bad));
    }
  }

  void sizes() {
    CPPUNIT_ASSERT(sizeFrom("0") == 0u);
    CPPUNIT_ASSERT(sizeFrom("1048576") == 1048576u);
    for (const char* same : {"2g", "2G", "2gb", "2GiB", "2Gi", "2048m"})
      CPPUNIT_ASSERT_MESSAGE(same, sizeFrom(same) == std::uint64_t{2} << 30);
    for (const char* bad : {"", "g", "2x", "2gg", "-1", "1.5g", "2 g", "9999999999t", "99999999999999999999", "08k"})
      CPPUNIT_ASSERT_MESSAGE(bad, !sizeFrom(bad));
  }

  void numbers() {
    CPPUNIT_ASSERT(numberFrom("0", 9) == 0);
    CPPUNIT_ASSERT(numberFrom("9223372036854775807", INT64_MAX) == INT64_MAX);
    for (const char* bad : {"", "10", "-1", "01", "1x", "1.0", "0x1", "99999999999999999999999999"})
      CPPUNIT_ASSERT_MESSAGE(bad, !numberFrom(bad, 9));
    CPPUNIT_ASSERT(millisFrom("2") == 2000u);
    CPPUNIT_ASSERT(millisFrom("0.5") == 500u);
    CPPUNIT_ASSERT(millisFrom("1.125") == 1125u);
    for (const char* bad : {"", ".5", "1.", "1.1234", "1,5", "-1", "1e3", "nan"})
      CPPUNIT_ASSERT_MESSAGE(bad, !millisFrom(bad));
  }

  void names() {
    for (const char* good : {"A", "_a1", "lower"}) CPPUNIT_ASSERT_MESSAGE(good, isVariableName(good));
    for (const char* bad : {"", "1A", "A-B", "A B", "A=B", "Ä", "A\n"})
      CPPUNIT_ASSERT_MESSAGE(bad, !isVariableName(bad));
    for (const char* good : {"root", "1000", "0:0", "app:staff", "_apt", "a.b-c", "4294967294"})
      CPPUNIT_ASSERT_MESSAGE(good, isUser(good));
    for (const char* bad : {"", ":", "a:", ":a", "a:b:c", "-a", "a b", "4294967295", "01", "$(id)", "../x"})
      CPPUNIT_ASSERT_MESSAGE(bad, !isUser(bad));
    CPPUNIT_ASSERT(isPlainName("gpu-2.x") && !isPlainName("") && !isPlainName("a/b") && !isPlainName("-a") &&
                   !isPlainName(std::string(65, 'a')));
  }

  void program_paths() {
    for (const char* good : {"/bin/sh", "/usr/local/bin/bash-5.2", "/bin/c++"})
      CPPUNIT_ASSERT_MESSAGE(good, isProgramPath(good));
    for (const char* bad :
         {"", "/", "sh", "/bin/", "//bin/sh", "/bin//sh", "/bin/../sh", "/./sh", "/bin/sh -x", "/bin/sh\n", "/a:b"})
      CPPUNIT_ASSERT_MESSAGE(bad, !isProgramPath(bad));
  }

  void image_references_that_are_good() {
    const std::string digest(64, 'a');
    for (const std::string& good :
         {std::string("debian"), std::string("debian:12"), std::string("a/b/c:v1.2_x-y"),
          std::string("registry:5000/a"), std::string("localhost/a"), std::string("localhost:5000/a:b"),
          std::string("ocelot.local/base"), std::string("a.b-c/d__e/f---g"), "debian@sha256:" + digest,
          "debian:12@sha256:" + digest, std::string("10.0.0.1:5000/a"), std::string("[::1]:5000/a"),
          std::string("[fd00::1]/a"), "a@sha512:" + digest + digest, std::string("a:") + std::string(128, 't')}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(good, std::string(), imageReferenceFault(good));
    }
  }

  void image_references_that_are_not() {
    const std::string digest(64, 'a');
    for (const std::string& bad : {std::string(),
                                   std::string("-v/:/h"),
                                   std::string("--privileged"),
                                   std::string("img;rm"),
                                   std::string("a b"),
                                   std::string("a\nb"),
                                   std::string("$(id)"),
                                   std::string("Debian"),
                                   std::string("a/B"),
                                   std::string("a//b"),
                                   std::string("/a"),
                                   std::string("a/"),
                                   std::string("a:"),
                                   std::string("a:b:c"),
                                   std::string("a:-b"),
                                   "a:" + std::string(129, 't'),
                                   std::string("a@"),
                                   std::string("a@md5:abc"),
                                   "a@sha256:" + std::string(63, 'a'),
                                   "a@sha256:" + std::string(64, 'A'),
                                   "a@sha256:" + digest + "@sha256:" + digest,
                                   std::string("a..b"),
                                   std::string("a___b"),
                                   std::string("_a"),
                                   std::string("a-"),
                                   std::string("http://a/b"),
                                   std::string("docker://a"),
                                   std::string("a:0/b"),
                                   std::string("r:99999/b"),
                                   std::string("r:/b"),
                                   std::string("169.254.1.2/a"),
                                   std::string("2852039166.1/a"),
                                   std::string("1.0xa9fe/a"),
                                   std::string("[fe80::1]/a"),
                                   std::string("[::ffff:169.254.169.254]/a"),
                                   std::string("[::1/a"),
                                   std::string("[g]/a"),
                                   std::string("-a.b/c"),
                                   std::string("a-.b/c"),
                                   std::string(1024, 'a'),
                                   std::string("a\0b", 3),
                                   std::string("ä")}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !imageReferenceFault(bad).empty());
    }
  }

  void patterns_match_the_whole_branch() {
    CPPUNIT_ASSERT(matchesPattern("a|b", "b") && !matchesPattern("a|b", "ax") && !matchesPattern("a|b", "xb"));
    CPPUNIT_ASSERT(matchesPattern("ALL", "whatever") && !matchesPattern("ALL.", "whatever"));
    CPPUNIT_ASSERT(!matchesPattern("(", "(") && !matchesPattern("", "") && !matchesPattern("\\pL", "a"));
    CPPUNIT_ASSERT(matchesPattern("f.r/.*", "f\xC3\xBCr/x"));
    CPPUNIT_ASSERT(!matchesPattern("a.*", "a\nb"));
    // Exponential elsewhere.
    CPPUNIT_ASSERT(!matchesPattern("(a+)+$", std::string(50, 'a') + "!"));
    CPPUNIT_ASSERT(matchesPattern("^(a|b)*$", std::string(100000, 'a')));
    CPPUNIT_ASSERT_EQUAL(std::string(), checkPattern("\\\\p").fault);
    CPPUNIT_ASSERT(!checkPattern("x\\P{Greek}").fault.empty());
    CPPUNIT_ASSERT(checkPattern("a{100}").cost > checkPattern("a").cost);
  }

  void suggestions() {
    const std::vector<std::string_view> known{"image", "stages", "script", "machineTag"};
    CPPUNIT_ASSERT_EQUAL(std::string_view("script"), nearest("scirpt", known));
    CPPUNIT_ASSERT_EQUAL(std::string_view("stages"), nearest("stage", known));
    CPPUNIT_ASSERT_EQUAL(std::string_view("machineTag"), nearest("machine_tag", known));
    CPPUNIT_ASSERT_EQUAL(std::string_view("image"), nearest("IMAGE", known));
    CPPUNIT_ASSERT(nearest("volumes", known).empty() && nearest("", known).empty() &&
                   nearest(std::string(5000, 's'), known).empty());
  }

  void utf8() {
    for (const char* good : {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
      CPPUNIT_ASSERT_EQUAL(std::string(good).size(), utf8Length(good));
    for (const char* bad : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                            "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xC3("}) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, utf8Length(bad));
    }
    CPPUNIT_ASSERT_EQUAL(2, placeAt("\xC3\xA4x", 2).column);
    CPPUNIT_ASSERT_EQUAL(2, placeAt("a\nb", 2).line);
  }

  void quotes_are_short_and_printable() {
    CPPUNIT_ASSERT_EQUAL(std::string("`a\\x1b[0m\\x00`"), quoted(std::string("a\x1b[0m\0", 6)));
    CPPUNIT_ASSERT_EQUAL("`" + std::string(60, 'x') + "…`", quoted(std::string(61, 'x')));
    CPPUNIT_ASSERT_EQUAL(std::string("`\\xff\\x9b\xC3\xA4`"), quoted("\xFF\xC2\x9B\xC3\xA4"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ValuesTest);

}  // namespace
