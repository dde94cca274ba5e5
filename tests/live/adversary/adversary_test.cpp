// Every test is a stage that, as the container's root, tries what it must not be able to do; and after each nothing is
// left behind.

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/support/installation.hpp"
#include "tests/support/skip.hpp"
#include "tests/support/small_disk.hpp"

namespace ocelot::test {
namespace {

namespace fs = std::filesystem;

// `script` as the stage "attack" of a repository that has the attacking program beside it.
std::string attack(const std::string& script, const std::string& more = "") {
  std::string yml = "image: ocelot.local/busybox\n" + more + "stages:\n  - name: attack\n    script: |\n";
  for (std::size_t begin = 0; begin < script.size();) {
    const std::size_t end = std::min(script.find('\n', begin), script.size());
    yml += "      " + script.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return yml;
}

void mustNotSay(const std::string& word, const BuildRun& run) {
  CPPUNIT_ASSERT_MESSAGE(run.text() + "\n" + run.log, run.log.find(word) == std::string::npos);
}

class OnOci : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OnOci);
  CPPUNIT_TEST(aStageCannotWriteTheJournal);
  CPPUNIT_TEST(aStageCannotEndItsGuest);
  CPPUNIT_TEST(aStageCannotPoisonTheNextCheckout);
  CPPUNIT_TEST(aStageCannotOutliveItsTimeout);
  CPPUNIT_TEST(whatAStageLeavesRunningEndsWithTheBuild);
  CPPUNIT_TEST(aFloodOfOutputIsCutAndSaidSo);
  CPPUNIT_TEST(aForkBombStaysInItsContainer);
  CPPUNIT_TEST(aStageCannotReachTheHost);
  CPPUNIT_TEST(secretsOfOneStageAreNotAnothers);
  CPPUNIT_TEST(aStageThatFillsWhatItSharesWithTheWorkerIsEnded);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    Installation::need();
    InstallationOptions options;
    options.runtimes = runtimes();
    here_ = std::make_unique<Installation>(options);
  }
  void tearDown() override { here_.reset(); }

  void aStageCannotWriteTheJournal() {
    const auto run = build(
        "forge",
        attack("ls -la /ocelot/control || true\n"
               "./attack\n"
               "find / -xdev -name journal 2>/dev/null | sed 's/^/FORGED name /'\n"
               "for f in /ocelot/control/*; do [ -p \"$f\" ] || echo 'forged forged forged' >> \"$f\" || true; done\n"
               "echo forged > /ocelot/control/journal || true\n"
               "exit 7\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("failed"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), 7, run.stage("attack").exit_code);
    mustNotSay("FORGED", run);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("refused: ptrace") != std::string::npos);
    clean();
  }

  void aStageCannotEndItsGuest() {
    const auto run =
        build("kill", attack("for signal in TERM INT HUP KILL STOP SEGV USR1 ABRT; do kill -$signal 1 || true; done\n"
                             "sleep 1\necho still judged\nexit 9\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("failed"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), 9, run.stage("attack").exit_code);
    clean();
  }

  void aStageCannotPoisonTheNextCheckout() {
    const auto repo = makeRepo("poison",
                               attack("cat word\n"
                                      "find .git -type f -exec chmod u+w {} \\;\n"
                                      "for f in $(find .git -type f); do echo poison > $f; done\n"
                                      "echo poison > word\necho poisoned it\n"),
                               {{"word", "clean content\n"}});
    const auto first = here_->runBuild(repo);
    CPPUNIT_ASSERT_MESSAGE(first.text() + first.log, first.log.find("poisoned it") != std::string::npos);
    const auto second = here_->runBuild(repo);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(second.text() + second.log, std::string("passed"), second.state);
    CPPUNIT_ASSERT_MESSAGE(second.log, second.log.find("clean content\n") != std::string::npos);
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(here_->dataDir() + "/mirrors")) {
      struct stat file {};
      CPPUNIT_ASSERT_EQUAL(0, ::lstat(entry.path().c_str(), &file));
      if (!S_ISREG(file.st_mode)) continue;
      CPPUNIT_ASSERT_EQUAL_MESSAGE(entry.path().string() + " is shared", nlink_t{1}, file.st_nlink);
      ++files;
    }
    CPPUNIT_ASSERT(files > 3);
    clean();
  }

  void aStageCannotOutliveItsTimeout() {
    const auto run = build("outlive", attack("trap '' TERM HUP INT QUIT\n"
                                             "setsid sh -c \"trap '' TERM; sleep 98761\" &\n"
                                             "(setsid sh -c \"trap '' TERM; (sleep 98762 &) ; sleep 98763\" &) &\n"
                                             "while true; do sleep 98764 || true; done\n",
                                             "timeout: 2s\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("timed_out"), run.state);
    clean();
  }

  void whatAStageLeavesRunningEndsWithTheBuild() {
    const auto run =
        build("leaves",
              attack("(trap '' TERM; setsid sleep 98765) &\nnohup sleep 98766 >/dev/null 2>&1 &\necho left them\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    clean();
  }

  void aFloodOfOutputIsCutAndSaidSo() {
    const auto run = build("flood", attack("yes 'all work and no play' | head -c 150000000\necho after the flood\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE(std::to_string(run.log.size()), run.log.size() < (65u << 20));
    CPPUNIT_ASSERT(run.log.find("after the flood") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(sha256Hex(run.log), run.log_sha256);
    clean();
  }

  void aForkBombStaysInItsContainer() {
    const auto repo = makeRepo(
        "bomb", attack("bomb() { bomb | bomb & }\nbomb\nsleep 600\n", "timeout: 4s\nresources:\n  pids: 80\n"));
    const auto id = here_->build(repo);
    std::size_t most = 0;
    BuildSeen seen;
    await("the bomb is over", [&] {
      most = std::max(most, here_->contained().size());
      return (seen = here_->show(id)).final();
    });
    CPPUNIT_ASSERT_MESSAGE(seen.text(), seen.state == "timed_out" || seen.state == "failed");
    CPPUNIT_ASSERT_MESSAGE(std::to_string(most) + " processes", most <= 90);
    CPPUNIT_ASSERT_EQUAL(std::string("passed"), build("after", attack("echo fine\n")).state);
    clean();
  }

  void aStageCannotReachTheHost() {
    std::ofstream(here_->folder() + "/on-the-host") << "host-canary-4711";
    const std::string canary = here_->folder() + "/on-the-host";
    const auto run = build(
        "host",
        attack(
            "cat " + canary + " /proc/1/root" + canary + " /proc/1/cwd/../.." + canary +
                " 2>/dev/null || true\n"
                "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /sys/power/state; do\n"
                "  (cat $f > /tmp/was && cat /tmp/was > $f) 2>/dev/null && echo \"ESCAPED $f\" || true\n"
                "done\n"
                "(echo h > /proc/sysrq-trigger) 2>/dev/null && echo ESCAPED sysrq || true\n"
                "head -c 1 /proc/kcore 2>/dev/null | grep -q . && echo ESCAPED kcore || true\n"
                "mkdir /tmp/m && mount -t tmpfs none /tmp/m 2>/dev/null && echo ESCAPED mount || true\n"
                "mknod /tmp/disk b 254 0 2>/dev/null && head -c 1 /tmp/disk 2>/dev/null && echo ESCAPED disk || true\n"
                "unshare -m true 2>/dev/null && echo ESCAPED unshare || true\n"
                "nsenter -t 1 -n true 2>/dev/null && echo ESCAPED nsenter || true\n"
                "chroot / true 2>/dev/null && echo ESCAPED chroot || true\n"
                "find /sys/fs/cgroup -name release_agent -o -name notify_on_release 2>/dev/null | while read f; do "
                "(echo 1 > $f) 2>/dev/null && echo \"ESCAPED $f\"; done || true\n"
                "hostname evil 2>/dev/null && echo ESCAPED hostname || true\n"
                "date -s 2001-01-01 >/dev/null 2>&1; [ \"$(date +%Y)\" != 2001 ] || echo ESCAPED clock\n"
                "(echo x > /ocelot/guest) 2>/dev/null && echo ESCAPED guest || true\n"
                "cat /etc/shadow 2>/dev/null && echo ESCAPED shadow || true\n"
                "cat link 2>/dev/null && echo ESCAPED link || true\n"
                "ls /sys/class/net | grep -v '^lo$' | sed 's/^/ESCAPED net /' || true\n"
                "echo tried it all\n",
            "network: none\n"));
    CPPUNIT_ASSERT_MESSAGE(run.text() + run.log, run.log.find("tried it all") != std::string::npos);
    mustNotSay("host-canary-4711", run);
    mustNotSay("ESCAPED", run);
    clean();
  }

  void secretsOfOneStageAreNotAnothers() {
    const auto repo = makeRepo(
        "secrets",
        "image: ocelot.local/busybox\nstages:\n"
        "  - name: has\n    secrets: [CANARY]\n    script: test -n \"$CANARY\"\n"
        "  - name: wants\n    script: |\n"
        "      /ocelot/guest secret get CANARY && echo FORGED by asking\n"
        "      env | grep CANARY && echo FORGED env\n"
        "      grep -r \"canary-88\"12 /ocelot /proc/*/environ /tmp 2>/dev/null && echo FORGED by reading\n"
        "      echo \"GET 0 CANARY\" | nc local:/ocelot/control/broker/sock 2>/dev/null | grep OK && echo FORGED by "
        "the broker\n"
        "      echo done\n");
    here_->setSecret(repo, "CANARY", "canary-8812");
    const auto run = here_->runBuild(repo);
    CPPUNIT_ASSERT_MESSAGE(run.text() + run.log, run.log.find("done") != std::string::npos);
    mustNotSay("FORGED", run);
    clean();
  }

  void aStageThatFillsWhatItSharesWithTheWorkerIsEnded() {
    here_.reset();
    const SmallDisk disk("64m");
    InstallationOptions options;
    options.runtimes = runtimes();
    options.run_dir = disk.path();
    here_ = std::make_unique<Installation>(options);
    const auto run =
        build("fill", attack("dd if=/dev/zero of=/ocelot/control/fill bs=1024k count=300 || true\nsleep 600\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("disk_full"), run.reason);
    CPPUNIT_ASSERT_EQUAL(std::string("passed"), build("after", attack("echo fine\n")).state);
    clean();
    here_.reset();
  }

 protected:
  virtual std::string runtimes() { return "[oci]"; }
  virtual void noContainers() {}

  Installation& here() { return *here_; }

 private:
  TestRepo makeRepo(const std::string& name, const std::string& yml, std::map<std::string, std::string> files = {}) {
    files["attack"] = readFile(OCELOT_TEST_ATTACK);
    const auto repo = here_->makeRepo(name, yml, files);
    fs::permissions(repo.git.path + "/attack", fs::perms::owner_all | fs::perms::others_exec | fs::perms::group_exec);
    fs::create_symlink("/etc/shadow", repo.git.path + "/link");
    repo.git.commit("arms");
    return repo;
  }

  BuildRun build(const std::string& name, const std::string& yml) { return here_->runBuild(makeRepo(name, yml)); }

  // No container, mount, control group, folder; and none of the processes that these stages start.
  void clean() {
    here_->awaitClean();
    noContainers();
    const std::string sleeping = std::string("sleep") + '\0' + "9876";
    for (const auto& entry : fs::directory_iterator("/proc"))
      CPPUNIT_ASSERT_MESSAGE("a stage's process still runs",
                             readFile(entry.path() / "cmdline").compare(0, sleeping.size(), sleeping) != 0);
  }

  std::unique_ptr<Installation> here_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(OnOci);

class OnDocker final : public OnOci {
  CPPUNIT_TEST_SUB_SUITE(OnDocker, OnOci);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    const char* socket = std::getenv("OCELOT_TEST_DOCKER");
    if (!socket || !*socket) skip("OCELOT_TEST_DOCKER names no engine: scripts/engines start docker");
    socket_ = socket;
    OnOci::setUp();
  }

 protected:
  std::string runtimes() override { return "[{docker: {socket: \"" + socket_ + "\"}}]"; }
  void noContainers() override {
    const std::string list = here().run({"docker", "-H", socket_, "ps", "-a", "--format", "{{.Names}}"});
    for (const auto& build : here().builds()) CPPUNIT_ASSERT_MESSAGE(list, list.find(build.id) == std::string::npos);
  }

 private:
  std::string socket_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(OnDocker);

}  // namespace
}  // namespace ocelot::test
