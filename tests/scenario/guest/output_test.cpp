// Output arrives byte for byte and in order, however much of it there is and however far behind its reader.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "tests/scenario/guest/guest_box.hpp"
#include "tests/support/skip.hpp"

namespace {

using namespace ocelot::test;
using ocelot::journal::Ending;
using ocelot::journal::FrameKind;

// A small file system of its own for a box's journal; gone at the end.
class SmallDisk {
 public:
  SmallDisk(const std::string& folder, const std::string& size) : folder_(folder) {
    needRoot();
    std::filesystem::create_directories(folder);
    if (::mount("none", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0) skip("cannot mount a tmpfs");
  }
  ~SmallDisk() { ::umount2(folder_.c_str(), MNT_DETACH); }

 private:
  std::string folder_;
};

class GuestOutputTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GuestOutputTest);
  CPPUNIT_TEST(keepsEveryByteValue);
  CPPUNIT_TEST(keepsALineOf50MiB);
  CPPUNIT_TEST(keepsBothStreamsApart);
  CPPUNIT_TEST(keepsTheOrderOfLines);
  CPPUNIT_TEST(keepsWhatWasWrittenRightBeforeTheEnd);
  CPPUNIT_TEST(stopsReadingWhileTheReaderIsBehind);
  CPPUNIT_TEST(keepsTheTailOfAStageThatEndedWhileTheReaderWasBehind);
  CPPUNIT_TEST(canBeCanceledWhileTheReaderIsBehind);
  CPPUNIT_TEST(goesOnWhenTheDiskHasRoomAgain);
  CPPUNIT_TEST(breaksOffWhenTheDiskStaysFull);
  CPPUNIT_TEST(isFast);
  CPPUNIT_TEST_SUITE_END();

 public:
  void keepsEveryByteValue() {
    std::string all, escaped;
    for (int round = 0; round < 2; ++round)
      for (int byte = 0; byte < 256; ++byte) {
        char octal[8];
        std::snprintf(octal, sizeof octal, "\\%03o", byte);
        all += static_cast<char>(byte);
        escaped += octal;
      }
    GuestBox box;
    box.stage("printf '" + escaped + "'; printf '" + escaped + "' >&2");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT(box.output(0, 1) == all);
    CPPUNIT_ASSERT(box.output(0, 2) == all);
  }

  void keepsALineOf50MiB() {
    GuestBox box;
    box.stage("head -c 52428800 /dev/zero | tr '\\0' x; echo; echo end");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT(box.output(0) == std::string(50u << 20, 'x') + "\nend\n");
    for (const auto& frame : box.allFrames()) CPPUNIT_ASSERT(frame.bytes.size() <= ocelot::journal::kMaxOutputBytes);
  }

  void keepsBothStreamsApart() {
    GuestBox box;
    box.stage("i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    std::string out, err;
    for (int i = 0; i < 2000; ++i) {
      out += "out " + std::to_string(i) + "\n";
      err += "err " + std::to_string(i) + "\n";
    }
    CPPUNIT_ASSERT(box.output(0, 1) == out);
    CPPUNIT_ASSERT(box.output(0, 2) == err);
  }

  void keepsTheOrderOfLines() {
    GuestBox box;
    std::string expected;
    for (int i = 1; i <= 200000; ++i) expected += std::to_string(i) + "\n";
    box.stage("seq 200000");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT(box.output(0) == expected);
  }

  void keepsWhatWasWrittenRightBeforeTheEnd() {
    GuestBox box;
    for (int i = 0; i < 50; ++i) box.stage("head -c 700000 /dev/zero; kill -KILL $$").always = true;
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    for (std::uint32_t i = 0; i < 50; ++i) CPPUNIT_ASSERT_EQUAL(std::size_t{700000}, box.output(i).size());
  }

  void stopsReadingWhileTheReaderIsBehind() {
    GuestBox box;
    box.plan.max_journal_backlog = 4u << 20;
    box.stage("head -c 30000000 /dev/zero; echo done");
    box.start();
    await("a full backlog", [&] { return box.journalSize() > box.plan.max_journal_backlog; });
    // What it may be over by: one batch of each stream.
    std::uint64_t read = 0;
    await("the whole output, read slowly", [&] {
      const auto size = box.journalSize();
      CPPUNIT_ASSERT(size <= read + box.plan.max_journal_backlog + (3u << 20));
      if (size - read > box.plan.max_journal_backlog) box.setCounter("read", read += 1u << 20);
      return size > 30000000;
    });
    CPPUNIT_ASSERT_EQUAL(0, box.wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{30000005}, box.output(0).size());
  }

  void keepsTheTailOfAStageThatEndedWhileTheReaderWasBehind() {
    GuestBox box;
    box.plan.max_journal_backlog = 64u << 10;
    // Its last bytes fit in the pipe, so it ends while nobody reads them: far longer than background output is waited
    // for.
    box.stage("head -c 300000 /dev/zero; touch ended");
    box.start();
    await("the stage's end", [&] { return std::filesystem::exists(box.plan.working_dir + "/ended"); });
    const auto stuck = std::chrono::steady_clock::now() + std::chrono::milliseconds(900);
    await("time to pass", [&] { return std::chrono::steady_clock::now() > stuck; });
    box.setCounter("read", 100u << 20);
    CPPUNIT_ASSERT_EQUAL(0, box.wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{300000}, box.output(0).size());
  }

  void canBeCanceledWhileTheReaderIsBehind() {
    GuestBox box;
    box.plan.max_journal_backlog = 1u << 20;
    box.plan.grace_ms = 100;
    box.stage("yes");
    box.start();
    await("a full backlog", [&] { return box.journalSize() > box.plan.max_journal_backlog; });
    box.signal(SIGTERM);
    box.signal(SIGTERM);
    await("the cancel", [&] { return box.notices().find("canceled") != std::string::npos; });
    box.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(3, box.wait());
    CPPUNIT_ASSERT(box.last().ending == Ending::canceled);
  }

  void goesOnWhenTheDiskHasRoomAgain() {
    GuestBox box;
    const SmallDisk disk(box.control(), "2m");
    box.setCounter("alive", 1);
    box.setCounter("read", 0);
    box.journal_file = box.control() + "/held";
    box.writeFile(box.control() + "/ballast", std::string(1200000, 'x'));
    box.stage("head -c 1000000 /dev/zero; echo end");
    box.start();
    await("a full disk", [&] { return box.journalSize() > 300000; });
    std::filesystem::remove(box.control() + "/ballast");
    CPPUNIT_ASSERT_EQUAL(0, box.wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000004}, box.output(0).size());
  }

  void breaksOffWhenTheDiskStaysFull() {
    GuestBox box;
    const SmallDisk disk(box.control(), "2m");
    box.setCounter("alive", 1);
    box.setCounter("read", 0);
    box.journal_file = box.control() + "/held";
    box.plan.grace_ms = 300;
    box.stage("head -c 9000000 /dev/zero; echo end");
    box.stage("echo no").always = true;
    CPPUNIT_ASSERT_EQUAL(5, box.run());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::broken);
    CPPUNIT_ASSERT_EQUAL(std::string("no room for the log on the worker (No space left on device)"),
                         box.finished(0).bytes);
    CPPUNIT_ASSERT(box.finished(1).ending == Ending::skipped);
    CPPUNIT_ASSERT(box.last().ending == Ending::broken);
  }

  // Not a benchmark: a guest that copies byte by byte, or asks the kernel once a line, falls far below this.
  void isFast() {
    GuestBox box;
    const SmallDisk disk(box.control(), "600m");
    box.setCounter("alive", 1);
    box.setCounter("read", 0);
    box.journal_file = box.control() + "/held";
    box.plan.max_journal_backlog = 1u << 30;
    box.stage("head -c 500000000 /dev/zero");
    const auto begin = std::chrono::steady_clock::now();
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (std::getenv("OCELOT_TEST_VERBOSE")) std::printf("     %.0f MB/s through the guest\n", 500 / seconds);
    CPPUNIT_ASSERT(seconds < 10);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GuestOutputTest);

}  // namespace
