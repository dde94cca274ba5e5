#include "plugins/runtime/oci/bundle.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "plugins/runtime/oci/network.hpp"
#include "plugins/runtime/oci/record.hpp"
#include "plugins/runtime/oci/seccomp.hpp"

namespace ocelot::oci::test {

class BundleTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BundleTest);
  CPPUNIT_TEST(saysWhatEveryContainerHas);
  CPPUNIT_TEST(saysTheLimits);
  CPPUNIT_TEST(namesTheFilterForARuntimeThatCompilesIt);
  CPPUNIT_TEST(anOrdinaryUsersContainerHasNoControlGroups);
  CPPUNIT_TEST(targetsThatMayNotBeAreRefused);
  CPPUNIT_TEST(theFilterAllowsProgramsAndForbidsNamespaces);
  CPPUNIT_TEST(recordsSurviveTheFile);
  CPPUNIT_TEST(recordsThatAreTornAreRefused);
  CPPUNIT_TEST(namesOfContainersAreChecked);
  CPPUNIT_TEST_SUITE_END();

 public:
  void saysWhatEveryContainerHas() {
    Bundle bundle = plain();
    bundle.mounts = {{"/host/guest \"quoted\"", "/ocelot/guest", false}, {"/host/control", "/control", true}};
    const auto config = parse(encodeBundle(bundle));
    const auto process = config->getObject("process");
    CPPUNIT_ASSERT(process->getValue<bool>("noNewPrivileges"));
    CPPUNIT_ASSERT(!process->getValue<bool>("terminal"));
    CPPUNIT_ASSERT_EQUAL(0, process->getObject("user")->getValue<int>("uid"));
    for (const char* set : {"bounding", "effective", "permitted"})
      CPPUNIT_ASSERT_EQUAL(std::size_t{7}, process->getObject("capabilities")->getArray(set)->size());
    CPPUNIT_ASSERT(!process->getObject("capabilities")->has("ambient"));
    CPPUNIT_ASSERT(!process->getObject("capabilities")->has("inheritable"));
    CPPUNIT_ASSERT_EQUAL(std::string("/"), process->getValue<std::string>("cwd"));
    const auto mounts = config->getArray("mounts");
    const auto last = mounts->getObject(static_cast<unsigned>(mounts->size()) - 1);
    const auto guest = mounts->getObject(static_cast<unsigned>(mounts->size()) - 2);
    CPPUNIT_ASSERT_EQUAL(std::string("/host/guest \"quoted\""), guest->getValue<std::string>("source"));
    CPPUNIT_ASSERT_EQUAL(std::string("ro"), guest->getArray("options")->getElement<std::string>(4));
    CPPUNIT_ASSERT_EQUAL(std::string("rw"), last->getArray("options")->getElement<std::string>(4));
    CPPUNIT_ASSERT_EQUAL(seccompProgramBase64(),
                         config->getObject("annotations")->getValue<std::string>("run.oci.seccomp_bpf_data"));
  }

  void saysTheLimits() {
    Bundle bundle = plain();
    bundle.limits.memory_bytes = 5ull << 30;
    bundle.limits.cpu_millis = 1500;
    bundle.limits.pids = 99;
    const auto resources = parse(encodeBundle(bundle))->getObject("linux")->getObject("resources");
    CPPUNIT_ASSERT_EQUAL(Poco::UInt64{5ull << 30}, resources->getObject("memory")->getValue<Poco::UInt64>("limit"));
    CPPUNIT_ASSERT_EQUAL(Poco::UInt64{5ull << 30}, resources->getObject("memory")->getValue<Poco::UInt64>("swap"));
    CPPUNIT_ASSERT_EQUAL(150000, resources->getObject("cpu")->getValue<int>("quota"));
    CPPUNIT_ASSERT_EQUAL(99, resources->getObject("pids")->getValue<int>("limit"));
    CPPUNIT_ASSERT(!parse(encodeBundle(plain()))->getObject("linux")->getObject("resources")->has("memory"));
  }

  void namesTheFilterForARuntimeThatCompilesIt() {
    Bundle bundle = plain();
    bundle.filter_as_program = false;
    const auto config = parse(encodeBundle(bundle));
    CPPUNIT_ASSERT(!config->has("annotations"));
    const auto seccomp = config->getObject("linux")->getObject("seccomp");
    CPPUNIT_ASSERT_EQUAL(std::string("SCMP_ACT_ERRNO"), seccomp->getValue<std::string>("defaultAction"));
    const auto names = seccomp->getArray("syscalls")->getObject(0)->getArray("names");
    for (std::size_t i = 0; i < names->size(); ++i)
      for (const char* forbidden :
           {"mount", "unshare", "setns", "bpf", "kexec_load", "init_module", "keyctl", "io_uring_setup", "clone",
            "clone3", "socket", "personality", "perf_event_open", "open_by_handle_at"})
        CPPUNIT_ASSERT(names->getElement<std::string>(static_cast<unsigned>(i)) != forbidden);
  }

  void anOrdinaryUsersContainerHasNoControlGroups() {
    Bundle bundle = plain();
    bundle.rootless = true;
    bundle.cgroup = "";
    bundle.limits.memory_bytes = 1 << 20;
    const auto part = parse(encodeBundle(bundle))->getObject("linux");
    CPPUNIT_ASSERT(!part->has("cgroupsPath"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, part->getObject("resources")->size());
  }

  void targetsThatMayNotBeAreRefused() {
    for (const char* good : {"/workspace", "/ocelot/guest", "/system", "/a..b/c"}) checkTarget(good);
    for (const char* bad :
         {"", "/", "relative", "/a/../b", "/..", "/proc", "/proc/self", "/sys/x", "/dev", "/dev/null", "/a\nb"}) {
      try {
        checkTarget(bad);
        CPPUNIT_FAIL(bad);
      } catch (const Error& e) {
        CPPUNIT_ASSERT(e.status() == Status::invalid);
      }
    }
  }

  void theFilterAllowsProgramsAndForbidsNamespaces() {
    // A child under the filter tries; its exit status is the number of the first expectation that did not hold.
    const std::string program = seccompProgram();
    CPPUNIT_ASSERT(program.size() / sizeof(sock_filter) < 4096);
    const pid_t pid = ::fork();
    CPPUNIT_ASSERT(pid >= 0);
    if (pid == 0) {
      const sock_fprog filter{static_cast<unsigned short>(program.size() / sizeof(sock_filter)),
                              reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()))};
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (::prctl(PR_SET_SECCOMP, 2, &filter) != 0) ::_exit(1);
      const auto refusedWith = [](int error, long result) { return result == -1 && errno == error; };
      if (::getpid() <= 0 || ::open("/dev/null", 0) < 0) ::_exit(2);
      if (!refusedWith(EPERM, ::syscall(SYS_unshare, CLONE_NEWNS))) ::_exit(3);
      if (!refusedWith(EPERM, ::syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr))) ::_exit(4);
      if (!refusedWith(EPERM, ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr)))
        ::_exit(5);
      if (!refusedWith(ENOSYS, ::syscall(SYS_clone3, nullptr, 0))) ::_exit(6);
      if (!refusedWith(EPERM, ::syscall(SYS_personality, 0x0400000))) ::_exit(7);
      if (::syscall(SYS_personality, 0xffffffff) < 0) ::_exit(8);
      if (!refusedWith(EPERM, ::socket(AF_VSOCK, SOCK_STREAM, 0))) ::_exit(9);
      if (::socket(AF_UNIX, SOCK_STREAM, 0) < 0) ::_exit(10);
      if (!refusedWith(ENOSYS, ::syscall(5000))) ::_exit(11);
      if (!refusedWith(EPERM, ::syscall(SYS_keyctl, 0))) ::_exit(12);
      if (!refusedWith(EPERM, ::syscall(SYS_io_uring_setup, 0, nullptr))) ::_exit(13);
      const pid_t child = ::fork();
      if (child == 0) ::_exit(0);
      int status = 0;
      if (child < 0 || ::waitpid(child, &status, 0) != child) ::_exit(14);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    CPPUNIT_ASSERT(WIFEXITED(status));
    CPPUNIT_ASSERT_EQUAL(0, WEXITSTATUS(status));
  }

  void recordsSurviveTheFile() {
    Record record;
    record.name = "a";
    record.owner = "o \"quoted\"\n";
    record.labels = {{"k", "v"}, {"k2", "\xc3\xa4"}};
    record.network = "bridge";
    record.pid = 77;
    record.started = 1ull << 60;
    record.source = "/x";
    const Record read = decodeRecord(encodeRecord(record), "record");
    CPPUNIT_ASSERT_EQUAL(record.owner, read.owner);
    CPPUNIT_ASSERT(record.labels == read.labels);
    CPPUNIT_ASSERT_EQUAL(record.started, read.started);
    CPPUNIT_ASSERT_EQUAL(record.pid, read.pid);
    CPPUNIT_ASSERT_EQUAL(record.source, read.source);
  }

  void recordsThatAreTornAreRefused() {
    const std::string whole = encodeRecord(Record{});
    for (const std::string& text :
         {std::string(), std::string("{}"), std::string("[]"), std::string("7"), whole.substr(0, whole.size() / 2)}) {
      try {
        decodeRecord(text, "record");
        CPPUNIT_FAIL(text);
      } catch (const Error& e) {
        CPPUNIT_ASSERT(e.status() == Status::invalid);
      }
    }
  }

  void namesOfContainersAreChecked() {
    CPPUNIT_ASSERT_EQUAL(std::string(), whyBadName("ocelot-0b7d5e6c-1"));
    for (const std::string& bad : {std::string(), std::string("../x"), std::string("a/b"), std::string(".a"),
                                   std::string("-a"), std::string("a b"), std::string(129, 'a')})
      CPPUNIT_ASSERT(!whyBadName(bad).empty());
  }

 private:
  static Bundle plain() {
    Bundle bundle;
    bundle.command = {"/bin/true"};
    bundle.hostname = "build";
    bundle.rootfs = "/rootfs";
    bundle.cgroup = "/ocelot/x";
    return bundle;
  }
  static Poco::JSON::Object::Ptr parse(const std::string& text) {
    return Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
  }
};

class NetworkTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NetworkTest);
  CPPUNIT_TEST(picksASubnetThatNobodyRoutes);
  CPPUNIT_TEST(loopbackResolversAreLeftOut);
  CPPUNIT_TEST(subnetsAreChecked);
  CPPUNIT_TEST_SUITE_END();

 public:
  void picksASubnetThatNobodyRoutes() {
    const std::string head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n";
    const auto pick = [&](const std::string& rows) { return freeSubnet(parseRoutes(head + rows)).text(); };
    const std::string uplink = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
    CPPUNIT_ASSERT_EQUAL(std::string("10.89.0.0/24"), pick(uplink));
    CPPUNIT_ASSERT_EQUAL(std::string("10.89.1.0/24"),
                         pick(uplink + "br\t0000590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.89.4.0/24"),
                         pick("vpn\t0000590A\t00000000\t0001\t0\t0\t0\t00FCFFFF\t0\t0\t0\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.89.1.0/24"),
                         pick("vpn\t0500590A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"));
    try {
      pick("vpn\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n");
      CPPUNIT_FAIL("10.0.0.0/8 is routed elsewhere");
    } catch (const Error& e) {
      CPPUNIT_ASSERT(std::string(e.what()).find("subnet") != std::string::npos);
    }
  }

  void loopbackResolversAreLeftOut() {
    CPPUNIT_ASSERT_EQUAL(std::string(), usableResolvers("nameserver 127.0.0.53\noptions edns0\n"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("nameserver 10.0.0.2\nsearch a b\n"),
        usableResolvers("# comment\nnameserver 127.0.0.1\nnameserver 10.0.0.2\nsearch a b\nnameserver ::1\n"));
  }

  void subnetsAreChecked() {
    CPPUNIT_ASSERT_EQUAL(std::string("172.30.4.0/22"), parseSubnet("172.30.4.0/22").text());
    for (const char* bad :
         {"10.89.0.0", "10.89.0.0/", "10.89.0.0/33", "10.89.0.1/24", "a/24", "10.89.0.0/2x", "::/64", "10.89.0.0/30"}) {
      try {
        parseSubnet(bad);
        CPPUNIT_FAIL(bad);
      } catch (const Error& e) {
        CPPUNIT_ASSERT(e.status() == Status::invalid);
      }
    }
  }
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::BundleTest);
CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::NetworkTest);
