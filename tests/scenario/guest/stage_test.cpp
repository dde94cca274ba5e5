// What a stage finds when it starts: its environment, its user, its folder, its shell, and nothing else.

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <sstream>

#include "tests/scenario/guest/guest_box.hpp"

namespace {

using namespace ocelot::test;
using ocelot::journal::Ending;
using ocelot::journal::FrameKind;

std::set<std::string> linesOf(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream from(text);
  for (std::string line; std::getline(from, line);) lines.insert(line);
  return lines;
}

// An image with users.
class JailWithUsers : public GuestBox {
 public:
  JailWithUsers() : GuestBox(Place::jail) {
    writeFile(path("/etc/passwd"),
              "root:x:0:0:root:/home/root:/bin/sh\n"
              "broken line\n"
              "app:x:1234:2345:App:/home/app:/bin/sh\n"
              "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
              "4242:x:77:77::/:/bin/sh\n");
    writeFile(path("/etc/group"), "root:x:0:\napp:x:2345:\nwheel:x:10:app,other\naudio:x:29:other,app\nstaff:x:50:\n");
    std::filesystem::create_directories(path("/home/app"));
    if (::chown(path("/home/app").c_str(), 1234, 2345) != 0) CPPUNIT_FAIL("chown");
  }
  std::string who(const std::string& user) {
    plan.stages.clear();
    stage("echo $(id -u):$(id -g):$(id -G) $USER $LOGNAME $HOME; touch $HOME/mine && touch mine").user = user;
    CPPUNIT_ASSERT_EQUAL(0, run());
    const std::string told = output(0);
    std::filesystem::remove_all(path("/workspace"));
    std::filesystem::remove(journal_file);
    return told;
  }
};

class GuestStageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GuestStageTest);
  CPPUNIT_TEST(givesExactlyThePlansEnvironment);
  CPPUNIT_TEST(letsTheStagesEnvironmentWin);
  CPPUNIT_TEST(startsInTheWorkingDirectory);
  CPPUNIT_TEST(givesAnEmptyStandardInput);
  CPPUNIT_TEST(leavesNoDescriptorOpen);
  CPPUNIT_TEST(resetsSignals);
  CPPUNIT_TEST(startsASessionOfItsOwn);
  CPPUNIT_TEST(runsAScriptOf300KiB);
  CPPUNIT_TEST(runsALongScriptLikeAShortOne);
  CPPUNIT_TEST(runsAScriptThatLooksLikeAnOption);
  CPPUNIT_TEST(tellsThatAScriptIsTooLong);
  CPPUNIT_TEST(runsInAnEmptyImage);
  CPPUNIT_TEST(tellsThatThereIsNoShell);
  CPPUNIT_TEST(tellsThatTheShellHasNoLoader);
  CPPUNIT_TEST(tellsThatTheShellIsNoProgram);
  CPPUNIT_TEST(runsAsAnyKindOfUser);
  CPPUNIT_TEST(namesAnUnknownUser);
  CPPUNIT_TEST(namesAnUnknownGroup);
  CPPUNIT_TEST(dropsEveryPrivilege);
  CPPUNIT_TEST(givesTheWorkspaceToTheUser);
  CPPUNIT_TEST(doesNotFollowLinksOutOfTheWorkspace);
  CPPUNIT_TEST(leavesTheWorkspaceToItsOwner);
  CPPUNIT_TEST(seesUsersThatAnEarlierStageMade);
  CPPUNIT_TEST(isNotHeldUpByAFifoInPlaceOfPasswd);
  CPPUNIT_TEST(runsWithoutRootOnTheMachine);
  CPPUNIT_TEST(tellsThatANamespaceHasNoSuchUser);
  CPPUNIT_TEST(startsAStageQuickly);
  CPPUNIT_TEST_SUITE_END();

 public:
  void givesExactlyThePlansEnvironment() {
    GuestBox box;
    box.plan.env.push_back({"ODD", "a=b"});
    box.plan.env.push_back({"EMPTY", ""});
    box.stage("tr '\\0' '\\n' < /proc/self/environ");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    std::set<std::string> names;
    for (const auto& line : linesOf(box.output(0))) names.insert(line.substr(0, line.find('=')));
    CPPUNIT_ASSERT((names == std::set<std::string>{"PATH", "ODD", "EMPTY", "HOME", "USER", "LOGNAME", "SHELL", "PWD"}));
    GuestBox odd;
    odd.plan.env.push_back({"ODD", "a=b\n\xff 'c'"});
    odd.stage("printf %s \"$ODD\"");
    CPPUNIT_ASSERT_EQUAL(0, odd.run());
    CPPUNIT_ASSERT_EQUAL(std::string("a=b\n\xff 'c'"), odd.output(0));
  }

  void letsTheStagesEnvironmentWin() {
    GuestBox box;
    box.plan.env.push_back({"WHO", "plan"});
    box.plan.env.push_back({"HOME", "/somewhere"});
    box.stage("echo $WHO $HOME").env = {{"WHO", "stage"}};
    box.stage("echo $WHO");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("stage /somewhere\n"), box.output(0));
    CPPUNIT_ASSERT_EQUAL(std::string("plan\n"), box.output(1));
  }

  void startsInTheWorkingDirectory() {
    GuestBox box;
    box.plan.working_dir += "/deep/er";
    box.stage("pwd; echo $PWD; cd /tmp");
    box.stage("pwd");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(box.plan.working_dir + "\n" + box.plan.working_dir + "\n", box.output(0));
    CPPUNIT_ASSERT_EQUAL(box.plan.working_dir + "\n", box.output(1));
  }

  void givesAnEmptyStandardInput() {
    GuestBox box;
    box.stage("cat; echo read");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("read\n"), box.output(0));
  }

  void leavesNoDescriptorOpen() {
    GuestBox box;
    box.stage("ls /proc/$$/fd");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("0\n1\n2\n"), box.output(0));
  }

  void resetsSignals() {
    GuestBox box;
    box.stage("grep -e SigBlk -e SigIgn /proc/self/status; yes | head -n 1");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\ny\n"), box.output(0));
  }

  void startsASessionOfItsOwn() {
    GuestBox box;
    box.stage("set -- $(cat /proc/$$/stat); [ $5 = $$ ] && [ $6 = $$ ] && [ $7 = 0 ]; umask");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("0022\n"), box.output(0));
  }

  void runsAScriptOf300KiB() {
    for (const char* shell : {"/bin/sh", "/bin/bash"}) {
      GuestBox box;
      box.plan.shell = shell;
      std::string script = "n=0\n";
      while (script.size() < 300 * 1024) script += "n=$((n+1)) # '\" $( ` \\\n";
      box.stage(script + "echo $n $# \"$*\"; a='x y'; printf '%s.' $a; cat");
      CPPUNIT_ASSERT_EQUAL(0, box.run());
      const auto lines = (script.size() - 4) / std::string("n=$((n+1)) # '\" $( ` \\\n").size();
      CPPUNIT_ASSERT_EQUAL(std::to_string(lines) + " 0 \nx.y.", box.output(0));
    }
  }

  void runsALongScriptLikeAShortOne() {
    const std::string body = "echo line $LINENO\nfalse | true\necho $LINENO\nfalse\necho two\n";
    for (const char* shell : {"/bin/sh", "/bin/bash"}) {
      std::string short_one;
      for (const std::size_t size : {0u, 200u * 1024, 122880u - static_cast<unsigned>(body.size()), 122879u}) {
        GuestBox box;
        box.plan.shell = shell;
        box.stage(body + "#" + std::string(size, 'x'));
        CPPUNIT_ASSERT_EQUAL(1, box.run());
        CPPUNIT_ASSERT_EQUAL(std::string("line"), box.output(0).substr(0, 4));
        if (size == 0) short_one = box.output(0);
        CPPUNIT_ASSERT_EQUAL(short_one, box.output(0));
      }
    }
  }

  void runsAScriptThatLooksLikeAnOption() {
    for (const char* shell : {"/bin/sh", "/bin/bash"}) {
      GuestBox box;
      box.plan.shell = shell;
      box.stage("-x || echo not an option");
      CPPUNIT_ASSERT_EQUAL(0, box.run());
      CPPUNIT_ASSERT_EQUAL(std::string("not an option\n"), box.output(0));
    }
    GuestBox empty;
    empty.stage("");
    CPPUNIT_ASSERT_EQUAL(0, empty.run());
  }

  void tellsThatAScriptIsTooLong() {
    GuestBox box;
    box.stage("#" + std::string(3u << 20, 'x'));
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT(box.finished(0).bytes.find("script and environment are too long together") != std::string::npos);
  }

  void runsInAnEmptyImage() {
    GuestBox box(Place::jail);
    box.stage("echo hello; pwd; read line || echo nothing to read; echo /*; trap '' TERM; while :; do :; done")
        .timeout_ms = 300;
    box.plan.grace_ms = 50;
    box.stage("#" + std::string(300 * 1024, 'x') + "\necho long").always = true;
    const int status = box.run();
    CPPUNIT_ASSERT_EQUAL(std::string(), box.output(0, 2));
    CPPUNIT_ASSERT_EQUAL(2, status);
    CPPUNIT_ASSERT_EQUAL(std::string("hello\n/workspace\nnothing to read\n/bin /ocelot /workspace\n"), box.output(0));
    CPPUNIT_ASSERT_EQUAL(std::string("long\n"), box.output(1));
  }

  void tellsThatThereIsNoShell() {
    GuestBox box(Place::jail);
    std::filesystem::remove(box.path("/bin/sh"));
    box.stage("echo hello");
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(
        std::string("no /bin/sh in the image: a stage is a shell script; use an image that has a shell"),
        box.finished(0).bytes);
    CPPUNIT_ASSERT_EQUAL(-1, box.finished(0).exit_code);
  }

  void tellsThatTheShellHasNoLoader() {
    GuestBox box(Place::jail);
    box.writeFile(box.path("/bin/sh"), "#!/nowhere/loader\n");
    box.stage("echo hello");
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("start /bin/sh: its loader or interpreter is not in the image"),
                         box.finished(0).bytes);
  }

  void tellsThatTheShellIsNoProgram() {
    GuestBox box(Place::jail);
    box.writeFile(box.path("/bin/sh"), "nothing that runs");
    box.stage("echo hello");
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("start /bin/sh as user 0 (0:0): Exec format error"), box.finished(0).bytes);
  }

  void runsAsAnyKindOfUser() {
    JailWithUsers box;
    CPPUNIT_ASSERT_EQUAL(std::string("0:0:0 root root /workspace\n"), box.who(""));
    CPPUNIT_ASSERT_EQUAL(std::string("1234:2345:2345 10 29 app app /home/app\n"), box.who("app"));
    CPPUNIT_ASSERT_EQUAL(std::string("1234:2345:2345 10 29 app app /home/app\n"), box.who("1234"));
    CPPUNIT_ASSERT_EQUAL(std::string("1234:50:50 app app /home/app\n"), box.who("app:staff"));
    CPPUNIT_ASSERT_EQUAL(std::string("1000:0:0 1000 1000 /workspace\n"), box.who("1000"));
    CPPUNIT_ASSERT_EQUAL(std::string("1000:1001:1001 1000 1000 /workspace\n"), box.who("1000:1001"));
    CPPUNIT_ASSERT_EQUAL(std::string("65534:65534:65534 nobody nobody /workspace\n"), box.who("nobody"));
    CPPUNIT_ASSERT_EQUAL(std::string("77:77:77 4242 4242 /workspace\n"), box.who("4242"));  // a name before a number
    box.plan.user = "app";
    CPPUNIT_ASSERT_EQUAL(std::string("1234:2345:2345 10 29 app app /home/app\n"), box.who(""));
  }

  void namesAnUnknownUser() {
    JailWithUsers box;
    box.stage("echo hello").user = "ap";
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("no user \"ap\" in the image's /etc/passwd; use a number or another image"),
                         box.finished(0).bytes);
  }

  void namesAnUnknownGroup() {
    JailWithUsers box;
    box.stage("echo hello").user = "app:4294967295";
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(
        std::string("no group \"4294967295\" in the image's /etc/group; use its number or another image"),
        box.finished(0).bytes);
  }

  void dropsEveryPrivilege() {
    GuestBox box(Place::container);
    box.stage("grep -e '^[UG]id:' -e '^Cap[PE]' /proc/self/status").user = "1000:1000";
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n"
                                     "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"),
                         box.output(0));
  }

  void givesTheWorkspaceToTheUser() {
    GuestBox box(Place::container);
    box.writeFile(box.plan.working_dir + "/a/b/c", "text");
    ::chmod((box.plan.working_dir + "/a").c_str(), 0700);
    box.stage("touch a/b/d; echo more >> a/b/c; stat -c '%u %g' . a a/b/c").user = "1000:1001";
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("1000 1001\n1000 1001\n1000 1001\n"), box.output(0));
  }

  void doesNotFollowLinksOutOfTheWorkspace() {
    GuestBox box(Place::container);
    box.writeFile(box.folder() + "/precious/file", "text");
    box.writeFile(box.plan.working_dir + "/here", "text");
    std::filesystem::create_symlink(box.folder() + "/precious/file", box.plan.working_dir + "/file");
    std::filesystem::create_directory_symlink(box.folder() + "/precious", box.plan.working_dir + "/folder");
    box.stage("stat -c %u file here").user = "1000";
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("1000\n1000\n"), box.output(0));
    struct stat facts {};
    for (const char* name : {"/precious", "/precious/file"}) {
      ::stat((box.folder() + name).c_str(), &facts);
      CPPUNIT_ASSERT_EQUAL(uid_t{0}, facts.st_uid);
    }
  }

  void leavesTheWorkspaceToItsOwner() {
    GuestBox box(Place::container);
    box.writeFile(box.plan.working_dir + "/of-root", "");
    if (::chown(box.plan.working_dir.c_str(), 1000, 1000) != 0) CPPUNIT_FAIL("chown");
    box.stage("stat -c %u of-root").user = "1000";
    box.stage("stat -c %u . of-root");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("0\n"), box.output(0));
    CPPUNIT_ASSERT_EQUAL(std::string("1000\n0\n"), box.output(1));
  }

  void seesUsersThatAnEarlierStageMade() {
    JailWithUsers box;
    box.stage("echo late:x:600:600::/:/bin/sh >> /etc/passwd");
    box.stage("id -u").user = "late";
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("600\n"), box.output(1));
  }

  void isNotHeldUpByAFifoInPlaceOfPasswd() {
    JailWithUsers box;
    box.stage("rm /etc/passwd /etc/group; mkfifo /etc/passwd; ln -s /ocelot /etc/group");
    box.stage("echo $USER").user = "1000";
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("1000\n"), box.output(1));
  }

  void runsWithoutRootOnTheMachine() {
    GuestBox box(Place::rootless);
    box.stage("echo $(id -u) $$; touch mine; (sleep 1000 >/dev/null 2>&1 &)");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("0 2\n"), box.output(0));
  }

  void tellsThatANamespaceHasNoSuchUser() {
    GuestBox box(Place::rootless);
    box.stage("echo no").user = "31337";
    CPPUNIT_ASSERT_EQUAL(5, box.run());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::broken);
    CPPUNIT_ASSERT_EQUAL("give the workspace to user 31337: change the owner of " + box.plan.working_dir +
                             ": Invalid argument; the container has no such id: its user namespace is too small",
                         box.finished(0).bytes);
  }

  // The aim is 5 ms on a quiet machine; ten times that tells a quadratic or sleeping guest from a slow machine.
  void startsAStageQuickly() {
    GuestBox box(::geteuid() == 0 ? Place::container : Place::process);
    for (int i = 0; i < 200; ++i) box.stage("echo hi");
    const auto begin = std::chrono::steady_clock::now();
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    const double millis = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() * 1000;
    if (std::getenv("OCELOT_TEST_VERBOSE")) std::printf("     %.2f ms a stage\n", millis / 200);
    CPPUNIT_ASSERT(millis < 200 * 50);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GuestStageTest);

}  // namespace
