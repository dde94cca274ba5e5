// What a stage, or a broken worker, could do to the guest: nothing but a clear end.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/scenario/guest/guest_box.hpp"

namespace {

using namespace ocelot::test;
using ocelot::journal::Ending;
using ocelot::journal::FrameKind;

class GuestHostileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GuestHostileTest);
  CPPUNIT_TEST(isClosedToAStageOfTheSameUser);
  CPPUNIT_TEST(isClosedToAStageOfTheSameUserWithoutRoot);
  CPPUNIT_TEST(cannotBeTracedOrKilledByAStage);
  CPPUNIT_TEST(takesJournalAndPlanAwayBeforeTheFirstStage);
  CPPUNIT_TEST(takesSecondNamesOfCountersAway);
  CPPUNIT_TEST(refusesAJournalThatIsNoFile);
  CPPUNIT_TEST(refusesAJournalThatIsNotEmpty);
  CPPUNIT_TEST(refusesAFolderWithoutAPlan);
  CPPUNIT_TEST(tellsOfAPlanThatCannotBeRead);
  CPPUNIT_TEST(survivesPlansWithFlippedBits);
  CPPUNIT_TEST(ignoresACounterThatIsNoNumber);
  CPPUNIT_TEST(answersBadUseWithUsage);
  CPPUNIT_TEST_SUITE_END();

 public:
  void isClosedToAStageOfTheSameUser() { attackFromWithin(Place::container); }
  void isClosedToAStageOfTheSameUserWithoutRoot() { attackFromWithin(Place::rootless); }

  void attackFromWithin(Place place) {
    GuestBox box(place);
    // Without its capabilities, as in a container: with all of root's a stage could do anything anyhow. The same
    // attempts on a process of the stage's own show that they are ones that can succeed.
    box.writeFile(box.folder() + "/attack",
                  "for file in /proc/$1/fd/* /proc/$1/cwd /proc/$1/root /proc/$1/exe; do\n"
                  "  if readlink $file >/dev/null || (: >> $file) 2>/dev/null; then echo $1 ${file##*/} is open; fi\n"
                  "done\n"
                  "for file in mem environ maps syscall stack; do\n"
                  "  if (: < /proc/$1/$file) 2>/dev/null && head -c 1 /proc/$1/$file >/dev/null 2>&1; then echo $1 "
                  "$file is open; fi\n"
                  "done\n");
    const std::string attack = "setpriv --bounding-set -all --inh-caps -all sh " + box.folder() + "/attack ";
    box.stage(attack + "1");
    box.stage("setpriv --bounding-set -all --inh-caps -all sleep 1000 >/dev/null & sleep 0.05; " + attack +
              "$! | sed \"s/^$! //\"; kill $!");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string(), box.output(0));
    for (const char* name : {"1 is open", "cwd is open", "exe is open", "environ is open", "maps is open"})
      CPPUNIT_ASSERT(box.output(1).find(name) != std::string::npos);
  }

  void cannotBeTracedOrKilledByAStage() {
    GuestBox box(Place::container);
    box.stage(
        "kill -9 1; kill -STOP 1; kill -SEGV 1; kill -ABRT 1; kill -CHLD 1; kill -PIPE 1; sleep 0.05; echo alive");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("alive\n"), box.output(0));
  }

  void takesJournalAndPlanAwayBeforeTheFirstStage() {
    GuestBox box;
    box.stage("ls " + box.control());
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("alive\nread\n"), box.output(0));
  }

  void takesSecondNamesOfCountersAway() {
    GuestBox box;
    box.plan.alive_timeout_ms = 300;
    for (const char* name : {"alive", "read"})
      std::filesystem::create_hard_link(box.control() + "/" + name, box.folder() + "/" + name);
    // The stage makes a file of its own with the name, and keeps it moving: nobody looks at it.
    box.stage("cd " + box.control() + "; ls; i=1; while :; do i=$((i+1)); echo $i > alive; sleep 0.01; done");
    CPPUNIT_ASSERT_EQUAL(4, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string(), box.output(0));
  }

  void refusesAJournalThatIsNoFile() {
    GuestBox box;
    box.stage("echo hello");
    box.writeFile(box.folder() + "/elsewhere", "");
    std::filesystem::create_symlink(box.folder() + "/elsewhere", box.control() + "/journal");
    CPPUNIT_ASSERT_EQUAL(5, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string(), readFile(box.folder() + "/elsewhere"));
    GuestBox fifo;
    fifo.stage("echo hello");
    ::mkfifo((fifo.control() + "/journal").c_str(), 0600);
    CPPUNIT_ASSERT_EQUAL(5, fifo.run());
  }

  void refusesAJournalThatIsNotEmpty() {
    GuestBox box;
    box.stage("echo hello");
    box.writeFile(box.journal_file, "something");
    CPPUNIT_ASSERT_EQUAL(5, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("something"), readFile(box.journal_file));
  }

  void refusesAFolderWithoutAPlan() {
    GuestBox box;
    std::filesystem::create_directory(box.control() + "/plan");
    CPPUNIT_ASSERT_EQUAL(5, box.run());
    GuestBox nothing;
    std::filesystem::remove_all(nothing.control() + "/alive");
    nothing.stage("echo hello");
    CPPUNIT_ASSERT_EQUAL(5, nothing.run());
  }

  void tellsOfAPlanThatCannotBeRead() {
    GuestBox box;
    box.writeFile(box.control() + "/plan", "#!/bin/sh\necho hello\n");
    CPPUNIT_ASSERT_EQUAL(5, box.run());
    CPPUNIT_ASSERT(box.last().ending == Ending::broken);
    CPPUNIT_ASSERT_EQUAL(std::string("plan: does not begin as a plan does"), box.last().bytes);
  }

  // In a jail: a flipped working directory is made wherever the plan says.
  void survivesPlansWithFlippedBits() {
    GuestBox sample(Place::jail);
    sample.stage("echo hello");
    const std::string whole = ocelot::journal::encode(sample.plan);
    // From behind the magic and version, a bit in every 29: the decoder's own tests flip each of them.
    for (std::size_t bit = 16 * 8; bit < whole.size() * 8; bit += 29) {
      GuestBox box(Place::jail);
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      box.writeFile(box.control() + "/plan", flipped);
      const int status = box.run();
      CPPUNIT_ASSERT_MESSAGE("bit " + std::to_string(bit) + ": " + std::to_string(status), status <= 5);
    }
  }

  void ignoresACounterThatIsNoNumber() {
    GuestBox box;
    box.plan.max_journal_backlog = 1u << 20;
    box.writeFile(box.control() + "/read", "-1 or 99999999999999999999999999");
    box.stage("head -c 1000 /dev/zero");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
  }

  void answersBadUseWithUsage() {
    CPPUNIT_ASSERT_EQUAL(64, WEXITSTATUS(std::system(OCELOT_GUEST " nonsense 2>/dev/null")));
    CPPUNIT_ASSERT_EQUAL(64, WEXITSTATUS(std::system(OCELOT_GUEST " 2>/dev/null")));
    CPPUNIT_ASSERT_EQUAL(
        0, WEXITSTATUS(std::system(OCELOT_GUEST " probe | grep -q '^ocelot-guest .* plan 1 journal 1 '")));
    CPPUNIT_ASSERT_EQUAL(0, WEXITSTATUS(std::system(OCELOT_GUEST " --version | grep -q '^ocelot-guest [0-9]'")));
    CPPUNIT_ASSERT_EQUAL(5, WEXITSTATUS(std::system(OCELOT_GUEST " run /nonexistent 2>/dev/null")));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GuestHostileTest);

}  // namespace
