// The log has what the stages wrote, byte for byte, and says so where it does not.

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

// The log without Ocelot's own lines.
std::string without(std::string log) {
  std::string out;
  for (std::size_t begin = 0; begin < log.size();) {
    const std::size_t end = std::min(log.find('\n', begin), log.size() - 1) + 1;
    if (log.compare(begin, 9, "[ocelot: ") != 0) out.append(log, begin, end - begin);
    begin = end;
  }
  return out;
}

class OutputTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutputTest);
  CPPUNIT_TEST(everyByteComesAsItWasWritten);
  CPPUNIT_TEST(aLineOfFiftyMebibytesComesWhole);
  CPPUNIT_TEST(aLogBeyondItsLimitSaysWhatIsMissing);
  CPPUNIT_TEST_SUITE_END();

 public:
  void everyByteComesAsItWasWritten() {
    Installation here;
    std::string bytes;
    for (int turn = 0; turn < 64; ++turn)
      for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
    bytes += "\xff\xfe\xc3(\xed\xa0\x80\xf0\x9f no valid UTF-8, no newline at the end";
    const auto repo = here.makeRepo(
        "bytes", "image: ocelot.local/busybox\nstages:\n  - name: work\n    script: cat bytes\n", {{"bytes", bytes}});
    const auto id = here.build(repo);
    Follower follower(here, id);
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE("the log is " + std::to_string(run.log.size()) + " bytes",
                           run.log.find(bytes) != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(sha256Hex(run.log), run.log_sha256);
    CPPUNIT_ASSERT(run.log == follower.awaitEnd());
  }

  void aLineOfFiftyMebibytesComesWhole() {
    InstallationOptions options;
    options.set = {"worker.log_limit=128MiB"};
    Installation here(options);
    constexpr std::size_t kLine = 50u << 20;
    const auto run = here.runBuild(here.makeRepo("long",
                                                 "image: ocelot.local/busybox\nstages:\n  - name: work\n    script: "
                                                 "yes 0123456789abcde | head -c 52428800 | tr '\\n' '\\001'\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    std::string line;
    while (line.size() < kLine) line += "0123456789abcde\001";
    const std::string seen = without(run.log).substr(0, kLine);
    CPPUNIT_ASSERT_EQUAL(sha256Hex(line), sha256Hex(seen));
    CPPUNIT_ASSERT_EQUAL(sha256Hex(run.log), run.log_sha256);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(run.log.size()), run.log_bytes);
  }

  void aLogBeyondItsLimitSaysWhatIsMissing() {
    InstallationOptions options;
    options.set = {"worker.log_limit=1MiB"};
    Installation here(options);
    const auto run = here.runBuild(here.makeRepo("flood",
                                                 "image: ocelot.local/busybox\nstages:\n"
                                                 "  - name: flood\n    script: seq 1 400000; echo the last words\n"
                                                 "  - name: next\n    script: echo still heard\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log.substr(run.log.size() - 2000), run.log.find("the last words") != std::string::npos);
    CPPUNIT_ASSERT(run.log.find("still heard") != std::string::npos);
    CPPUNIT_ASSERT(run.log.find("\n400000\n") != std::string::npos);
    CPPUNIT_ASSERT(run.log.find("\n200000\n") == std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(
        "no marker", run.log.find("[ocelot: ") != std::string::npos && run.log.find("1 MiB") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(std::to_string(run.log.size()), run.log.size() < (1u << 20) + (64u << 10));
    CPPUNIT_ASSERT_EQUAL(sha256Hex(run.log), run.log_sha256);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutputTest);

}  // namespace
}  // namespace ocelot::test
