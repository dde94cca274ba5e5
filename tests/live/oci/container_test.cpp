// Real containers. Every test looks at what it left behind.

#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "plugins/runtime/oci/file.hpp"
#include "plugins/runtime/oci/tool.hpp"
#include "tests/support/skip.hpp"
#include "tests/unit/oci/fixture.hpp"

namespace ocelot::oci::test {

// A server on the host, for a container to reach: takes one line of one peer.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    socklen_t size = sizeof any;
    CPPUNIT_ASSERT(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&any), size) == 0);
    CPPUNIT_ASSERT(::listen(socket_.get(), 1) == 0);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&any), &size);
    port_ = ntohs(any.sin_port);
    thread_ = std::thread([this] {
      const Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      char buffer[64];
      const ssize_t got = ::read(peer.get(), buffer, sizeof buffer);
      line_.assign(buffer, got < 0 ? 0 : static_cast<std::size_t>(got));
    });
  }
  ~Listener() { firstLine(); }
  int port() const { return port_; }
  std::string firstLine() {
    ::shutdown(socket_.get(), SHUT_RDWR);  // nobody may have come
    if (thread_.joinable()) thread_.join();
    return line_;
  }

 private:
  Fd socket_;
  int port_ = 0;
  std::string line_;
  std::thread thread_;
};

class ContainerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ContainerTest);
  CPPUNIT_TEST(tellsTheExitCode);
  CPPUNIT_TEST(tellsTheSignalThatKilledIt);
  CPPUNIT_TEST(givesTheGuestItsResources);
  CPPUNIT_TEST(holdsFewCapabilitiesAndAFilter);
  CPPUNIT_TEST(endsWhatNeedsTooMuchMemory);
  CPPUNIT_TEST(boundsTheNumberOfProcesses);
  CPPUNIT_TEST(listsByOwner);
  CPPUNIT_TEST(anotherProcessFindsAndRemovesIt);
  CPPUNIT_TEST(aFailedStartLeavesNothing);
  CPPUNIT_TEST(removesATreeOfAnyShape);
  CPPUNIT_TEST(writesDoNotReachTheImage);
  CPPUNIT_TEST(reachesTheOutsideByABridge);
  CPPUNIT_TEST(theLastOneOutTakesTheBridgeAway);
  CPPUNIT_TEST(theBridgeStaysUnderAnyContainer);
  CPPUNIT_TEST(hasOnlyLoopbackWithoutNetwork);
  CPPUNIT_TEST(cancelledWaitsReturn);
  CPPUNIT_TEST(showsTheGuestItsControlGroup);
  CPPUNIT_TEST(runcServesToo);
  CPPUNIT_TEST(theGuestInheritsNoDescriptor);
  CPPUNIT_TEST(aStartThatWasKilledCanBeRemoved);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    needContainers();
    folder_ = std::make_unique<Folder>();
    oci_ = std::make_unique<Oci>(settingsIn(*folder_));
    oci_->importImage(call_, makeRootfs(*folder_), "ocelot.local/busybox", {});
    ::mkdir((*folder_ / "control").c_str(), 0777);
  }

  void tearDown() override {
    if (!oci_) return;
    for (const std::string& name : started_) {
      oci_->remove(call_, name);
      oci_->remove(call_, name);
      CPPUNIT_ASSERT(!present(*folder_ / "state/containers/" + name));
      CPPUNIT_ASSERT(!present(*folder_ / "store/containers/" + name));
      CPPUNIT_ASSERT(!present(*folder_ / "state/engine/" + name));
      CPPUNIT_ASSERT_EQUAL(std::string(), outputOf("find /sys/fs/cgroup -type d -name " + name));
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), outputOf("grep " + folder_->path() + " /proc/self/mountinfo"));
    const std::string chosen = readFileIfPresent(*folder_ / "state/network/chosen", 256).value_or("");
    oci_.reset();
    if (const std::string bridge = chosen.substr(0, chosen.find(' ')); !bridge.empty()) {
      CPPUNIT_ASSERT(!present("/sys/class/net/" + bridge));
      CPPUNIT_ASSERT_EQUAL(std::string(), outputOf("iptables-save | grep -e " + bridge));
    }
    started_.clear();
    folder_.reset();
  }

  void tellsTheExitCode() {
    const Exit exit = runToEnd("exit 7");
    CPPUNIT_ASSERT(exit.known);
    CPPUNIT_ASSERT_EQUAL(7, exit.code);
    CPPUNIT_ASSERT(!exit.out_of_memory);
    CPPUNIT_ASSERT_EQUAL(7, oci_->wait(call_, started_.back()).code);  // asked again
  }

  void tellsTheSignalThatKilledIt() {
    const std::string name = start("exec sleep 100");
    oci_->kill(call_, name, SIGKILL);
    CPPUNIT_ASSERT_EQUAL(128 + SIGKILL, oci_->wait(call_, name).code);
    try {
      oci_->kill(call_, name, SIGTERM);
      CPPUNIT_FAIL("a signal to nobody");
    } catch (const Error& e) {
      CPPUNIT_ASSERT(e.status() == Status::not_found);
    }
  }

  void givesTheGuestItsResources() {
    writeFile(*folder_ / "guest", "content", 0755);
    ::mkdir((*folder_ / "checkout").c_str(), 0755);
    writeFile(*folder_ / "checkout/source", "x", 0644);
    spec_.resources.push_back({Resource::Kind::file, *folder_ / "guest", "/ocelot/guest"});
    spec_.resources.push_back({Resource::Kind::workspace, *folder_ / "checkout", "/workspace"});
    const Exit exit = runToEnd(
        "set -e; test \"$(cat /ocelot/guest)\" = content; ! echo > /ocelot/guest; cat /workspace/source; "
        "echo made > /workspace/made; echo said > /control/said; test \"$(cat /etc/hostname)\" = build");
    CPPUNIT_ASSERT_EQUAL(0, exit.code);
    CPPUNIT_ASSERT_EQUAL(std::string("said\n"), readFile(*folder_ / "control/said", 100));
    CPPUNIT_ASSERT(present(*folder_ / "checkout/made"));
    oci_->remove(call_, started_.back());
    CPPUNIT_ASSERT(!present(*folder_ / "checkout"));
    CPPUNIT_ASSERT(present(*folder_ / "control"));
  }

  void holdsFewCapabilitiesAndAFilter() {
    CPPUNIT_ASSERT_EQUAL(0, runToEnd("grep -E '^(CapEff|CapBnd|CapInh|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status > "
                                     "/control/status; ls -A /dev > /control/dev; "
                                     "mount -t tmpfs x /tmp && exit 3; unshare -n true && exit 4; "
                                     "echo 1 > /proc/sys/kernel/domainname && exit 5; exit 0")
                                .code);
    const std::string status = readFile(*folder_ / "control/status", 4096);
    const auto has = [&](const char* line) { CPPUNIT_ASSERT_MESSAGE(status, status.find(line) != std::string::npos); };
    has("CapEff:\t00000000000000fb\n");  // CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID
    has("CapBnd:\t00000000000000fb\n");
    has("CapInh:\t0000000000000000\n");
    has("CapAmb:\t0000000000000000\n");
    has("NoNewPrivs:\t1\n");
    has("Seccomp:\t2\n");
    CPPUNIT_ASSERT(readFile(*folder_ / "control/dev", 4096).find("vda") == std::string::npos);
  }

  void endsWhatNeedsTooMuchMemory() {
    spec_.limits.memory_bytes = 32u << 20;
    const Exit exit = runToEnd("exec dd if=/dev/zero of=/dev/shm/x bs=1M count=64");
    CPPUNIT_ASSERT(exit.known);
    CPPUNIT_ASSERT_EQUAL(128 + SIGKILL, exit.code);
    CPPUNIT_ASSERT(exit.out_of_memory);
  }

  void boundsTheNumberOfProcesses() {
    spec_.limits.pids = 10;
    const Exit exit = runToEnd("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 50 & done");
    CPPUNIT_ASSERT(exit.code != 0);
  }

  void listsByOwner() {
    spec_.labels = {{"ocelot.build", "b"}, {"ocelot.attempt", "1"}};
    const std::string name = start("exec sleep 100");
    auto found = oci_->list(call_, "test");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.size());
    CPPUNIT_ASSERT_EQUAL(name, found[0].name);
    CPPUNIT_ASSERT(found[0].running);
    CPPUNIT_ASSERT(found[0].labels == spec_.labels);
    CPPUNIT_ASSERT(oci_->list(call_, "somebody else").empty());
    oci_->kill(call_, name, SIGKILL);
    oci_->wait(call_, name);
    found = oci_->list(call_, "test");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.size());
    CPPUNIT_ASSERT(!found[0].running);
  }

  void anotherProcessFindsAndRemovesIt() {
    const std::string name = start("exec sleep 100");
    Oci other(settingsIn(*folder_));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, other.list(call_, "test").size());
    other.remove(call_, name);
    CPPUNIT_ASSERT(oci_->list(call_, "test").empty());
    try {
      oci_->wait(call_, name);
      CPPUNIT_FAIL("waited for nobody");
    } catch (const Error& e) {
      CPPUNIT_ASSERT(e.status() == Status::not_found);
    }
  }

  void aFailedStartLeavesNothing() {
    spec_.command = {"/bin/not-there"};
    ::mkdir((*folder_ / "checkout").c_str(), 0755);
    spec_.resources.push_back({Resource::Kind::workspace, *folder_ / "checkout", "/workspace"});
    spec_.name = "ocelot-test-failed";
    started_.push_back(spec_.name);
    try {
      oci_->start(call_, spec_);
      CPPUNIT_FAIL("started nothing");
    } catch (const Error& e) {
      CPPUNIT_ASSERT_MESSAGE(e.what(), std::string(e.what()).find("not-there") != std::string::npos);
    }
    CPPUNIT_ASSERT(namesIn(*folder_ / "state/containers").empty());
    CPPUNIT_ASSERT(namesIn(*folder_ / "store/containers").empty());
    CPPUNIT_ASSERT(present(*folder_ / "checkout"));  // still its maker's
  }

  void removesATreeOfAnyShape() {
    ::mkdir((*folder_ / "checkout").c_str(), 0755);
    spec_.resources.push_back({Resource::Kind::workspace, *folder_ / "checkout", "/workspace"});
    const Exit exit = runToEnd(
        "cd /workspace; ln -s /etc link; mkdir -p closed/in; touch closed/in/file; chmod 0 closed/in/file closed/in "
        "closed; "
        "i=0; while [ $i -lt 1500 ]; do mkdir d && cd d || exit 1; touch f; i=$((i+1)); done");
    CPPUNIT_ASSERT_EQUAL(0, exit.code);
    oci_->remove(call_, started_.back());
    CPPUNIT_ASSERT(!present(*folder_ / "checkout"));
    CPPUNIT_ASSERT(present("/etc/passwd"));
  }

  void writesDoNotReachTheImage() {
    CPPUNIT_ASSERT_EQUAL(0, runToEnd("set -e; echo x > /new; rm /etc/passwd; ls -ld / > /control/root").code);
    CPPUNIT_ASSERT_EQUAL(0, runToEnd("test ! -e /new && test -e /etc/passwd").code);
  }

  void hasOnlyLoopbackWithoutNetwork() {
    CPPUNIT_ASSERT_EQUAL(0, runToEnd("test \"$(ls /sys/class/net)\" = lo && ip addr show lo | grep -q 127.0.0.1").code);
  }

  void reachesTheOutsideByABridge() {
    needBridge();
    Listener listener;
    const Exit exit = runToEnd(
        "set -e; ip route > /control/route; gateway=$(ip route | grep default | { read a b c d; echo $c; }); "
        "address=$(ip -4 addr show eth0 | grep inet | { read a b c; echo ${b%/*}; }); grep -q \"^$address.build$\" "
        "/etc/hosts; "
        "echo hello | nc -w 5 $gateway " +
        std::to_string(listener.port()));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(readFile(*folder_ / "control/route", 4096), 0, exit.code);
    CPPUNIT_ASSERT_EQUAL(std::string("hello\n"), listener.firstLine());
    oci_->remove(call_, started_.back());
    CPPUNIT_ASSERT(namesIn(*folder_ / "state/network/leases").empty());
  }

  void theLastOneOutTakesTheBridgeAway() {
    needBridge();
    for (int again = 0; again < 2; ++again) {
      const std::string name = start("exec sleep 100");
      CPPUNIT_ASSERT_EQUAL(std::string("bridge, 3 rules"), networkState());
      std::make_unique<Oci>(settingsIn(*folder_)).reset();
      CPPUNIT_ASSERT_EQUAL(std::string("bridge, 3 rules"), networkState());
      oci_->remove(call_, name);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("kept for the next", std::string("bridge, 3 rules"), networkState());
      oci_ = nullptr;
      CPPUNIT_ASSERT_EQUAL(std::string("no bridge, 0 rules"), networkState());
      oci_ = std::make_unique<Oci>(settingsIn(*folder_));
    }
  }

  void theBridgeStaysUnderAnyContainer() {
    needBridge();
    // Each is the last one out again and again, while the others come in.
    std::vector<pid_t> others;
    for (int other = 0; other < 3; ++other) {
      others.push_back(::fork());
      if (others.back() == 0) {
        ContainerSpec spec = spec_;
        spec.name = "ocelot-test-beside-" + std::to_string(::getpid());
        spec.command = {"/bin/sleep", "100"};
        int status = 0;
        for (int round = 0; round < 6 && status == 0; ++round) {
          try {
            Oci oci(settingsIn(*folder_));
            oci.start(call_, spec);
            if (networkState() != "bridge, 3 rules") status = 1;
            oci.remove(call_, spec.name);
          } catch (const std::exception& e) {
            std::fprintf(stderr, "%s\n", e.what());
            status = 2;
          }
        }
        ::_exit(status);
      }
    }
    for (const pid_t other : others) {
      int status = 0;
      ::waitpid(other, &status, 0);
      CPPUNIT_ASSERT_EQUAL(0, status);
    }
  }

  void showsTheGuestItsControlGroup() {
    spec_.limits.memory_bytes = 64u << 20;
    CPPUNIT_ASSERT_EQUAL(
        0, runToEnd("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max > /control/limit "
                    "2> /dev/null; echo 1 > /sys/fs/cgroup/memory/memory.limit_in_bytes && exit 1; exit 0")
               .code);
    CPPUNIT_ASSERT_EQUAL(std::string("67108864\n"), readFile(*folder_ / "control/limit", 100));
  }

  void runcServesToo() {
    if (findProgram("runc").empty()) ocelot::test::skip("runc is not installed");
    Settings settings = settingsIn(*folder_);
    settings.set("runtime", {"runc"});
    oci_ = std::make_unique<Oci>(settings);
    spec_.limits.memory_bytes = 64u << 20;
    CPPUNIT_ASSERT_EQUAL(
        5, runToEnd("unshare -n true && exit 3; grep Seccomp: /proc/self/status > /control/s; exit 5").code);
    CPPUNIT_ASSERT_EQUAL(std::string("Seccomp:\t2\n"), readFile(*folder_ / "control/s", 100));
  }

  void aStartThatWasKilledCanBeRemoved() {
    // Wherever it was: each round is killed a little later, until one has got through.
    bool with_bridge = false;
    for (const auto& [name, value] : oci_->probe(call_).features)
      with_bridge = with_bridge || (name == "network.bridge" && value == "yes");
    for (int round = 0;; ++round) {
      const std::string name = "ocelot-test-killed-" + std::to_string(round);
      started_.push_back(name);
      ContainerSpec spec = spec_;
      spec.name = name;
      spec.network = with_bridge && round % 2 ? "bridge" : "none";
      spec.command = {"/bin/sleep", "100"};
      const pid_t pid = ::fork();
      if (pid == 0) {
        std::signal(SIGALRM, SIG_DFL);
        const itimerval soon{{0, 0}, {0, 500 + round * 1500}};
        ::setitimer(ITIMER_REAL, &soon, nullptr);
        try {
          Oci(settingsIn(*folder_)).start(call_, spec);
          ::_exit(0);
        } catch (const std::exception& e) {
          writeFile(*folder_ / "why", e.what());
          ::_exit(1);
        }
      }
      int status = 0;
      CPPUNIT_ASSERT(::waitpid(pid, &status, 0) == pid);
      CPPUNIT_ASSERT_MESSAGE(readFileIfPresent(*folder_ / "why", 4096).value_or(""),
                             !WIFEXITED(status) || WEXITSTATUS(status) == 0);
      oci_->remove(call_, name);
      if (WIFEXITED(status) || round == 200) break;
    }
    CPPUNIT_ASSERT(oci_->list(call_, "test").empty());
    CPPUNIT_ASSERT_EQUAL(std::string(), outputOf("ps -eo args | grep '[o]celot-test-killed'"));
  }

  void theGuestInheritsNoDescriptor() {
    CPPUNIT_ASSERT_EQUAL(0, runToEnd("exec ls /proc/self/fd > /control/fds").code);
    CPPUNIT_ASSERT_EQUAL(std::string("0\n1\n2\n3\n"), readFile(*folder_ / "control/fds", 100));  // 3: ls itself
  }

  void cancelledWaitsReturn() {
    const std::string name = start("exec sleep 100");
    SimpleCall brief(std::chrono::milliseconds(50));
    try {
      oci_->wait(brief, name);
      CPPUNIT_FAIL("did not wait");
    } catch (const Error& e) {
      CPPUNIT_ASSERT(e.status() == Status::cancelled);
    }
  }

 private:
  void needBridge() {
    for (const auto& [name, value] : oci_->probe(call_).features)
      if (name == "network.bridge" && value != "yes") ocelot::test::skip(value);
    spec_.network = "bridge";
  }
  std::string networkState() const {
    const std::string chosen = readFile(*folder_ / "state/network/chosen", 256);
    const std::string bridge = chosen.substr(0, chosen.find(' '));
    std::string rules = outputOf("iptables-save | grep -c -e " + bridge);
    rules.resize(rules.find('\n'));
    return (present("/sys/class/net/" + bridge) ? "bridge, " : "no bridge, ") + rules + " rules";
  }
  std::string start(const std::string& script) {
    ContainerSpec spec = spec_;
    spec.name = "ocelot-test-" + std::to_string(::getpid()) + "-" + std::to_string(started_.size());
    spec.command = {"/bin/sh", "-c", script};
    spec.resources.push_back({Resource::Kind::folder, *folder_ / "control", "/control"});
    started_.push_back(spec.name);
    oci_->start(call_, spec);
    return spec.name;
  }
  Exit runToEnd(const std::string& script) { return oci_->wait(call_, start(script)); }

  static ContainerSpec firstSpec() {
    ContainerSpec spec;
    spec.owner = "test";
    spec.image = "ocelot.local/busybox:latest";
    spec.network = "none";
    return spec;
  }

  SimpleCall call_{std::chrono::minutes(10)};
  std::unique_ptr<Folder> folder_;
  std::unique_ptr<Oci> oci_;
  ContainerSpec spec_ = firstSpec();
  std::vector<std::string> started_;
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::ContainerTest);
