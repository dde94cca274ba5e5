// Containers of an ordinary user: what a child of the test does after giving up root.

#include <cppunit/extensions/HelperMacros.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <iostream>

#include "plugins/runtime/oci/file.hpp"
#include "tests/support/skip.hpp"
#include "tests/unit/oci/fixture.hpp"

namespace ocelot::oci::test {

class RootlessTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RootlessTest);
  CPPUNIT_TEST(runsAndRemovesAContainer);
  CPPUNIT_TEST(refusesABridge);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    needContainers();
    folder_ = std::make_unique<Folder>();
    CPPUNIT_ASSERT_EQUAL(0, runShell("chown 12345:12345 " + folder_->path()));
  }

  void runsAndRemovesAContainer() {
    asOrdinaryUser([&](Oci& oci, SimpleCall& call) {
      const RuntimeFacts facts = oci.probe(call);
      check(facts.usable, facts.why_not);
      oci.importImage(call, makeRootfs(*folder_), "ocelot.local/busybox", {});
      ::mkdir((*folder_ / "control").c_str(), 0755);
      for (const char* network : {"none", "host"}) {
        ContainerSpec spec = plain(network);
        spec.command = {
            "/bin/sh", "-c",
            "id -u > /control/uid; echo x > /new; mkdir /closed && touch /closed/f && chmod 0 /closed; rm /etc/passwd; "
            "mkdir /etc/more; exit 5"};
        spec.resources = {{Resource::Kind::folder, *folder_ / "control", "/control"}};
        oci.start(call, spec);
        const Exit exit = oci.wait(call, spec.name);
        check(exit.known && exit.code == 5,
              "the exit code of a container with network " + spec.network + " is " + std::to_string(exit.code));
        check(readFile(*folder_ / "control/uid", 10) == "0\n", "the guest is not root");
        oci.remove(call, spec.name);
        check(namesIn(*folder_ / "state/containers").empty() && namesIn(*folder_ / "store/containers").empty(),
              "something was left");
      }
      ContainerSpec spec = plain("none");
      spec.command = {"/bin/sleep", "100"};
      oci.start(call, spec);
      oci.kill(call, spec.name, SIGKILL);
      check(oci.wait(call, spec.name).code == 128 + SIGKILL, "not killed");
      oci.remove(call, spec.name);
    });
  }

  void refusesABridge() {
    asOrdinaryUser([&](Oci& oci, SimpleCall& call) {
      oci.importImage(call, makeRootfs(*folder_), "ocelot.local/busybox", {});
      ContainerSpec spec = plain("bridge");
      spec.command = {"/bin/true"};
      try {
        oci.start(call, spec);
        check(false, "started");
      } catch (const Error& e) {
        check(e.status() == Status::unsupported, e.what());
      }
      check(namesIn(*folder_ / "state/containers").empty(), "something was left");
    });
  }

 private:
  static ContainerSpec plain(const std::string& network) {
    ContainerSpec spec;
    spec.name = "ocelot-test-rootless-" + std::to_string(::getpid());
    spec.image = "ocelot.local/busybox";
    spec.network = network;
    return spec;
  }
  static void check(bool holds, const std::string& otherwise) {
    if (!holds) throw std::runtime_error(otherwise);
  }
  void asOrdinaryUser(const std::function<void(Oci&, SimpleCall&)>& run) {
    const std::string told = *folder_ / "told";
    const pid_t pid = ::fork();
    CPPUNIT_ASSERT(pid >= 0);
    if (pid == 0) {
      try {
        if (::setgroups(0, nullptr) != 0 || ::setgid(12345) != 0 || ::setuid(12345) != 0) ::_exit(2);
        ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // as after an exec: /proc/self is his own
        Oci oci(settingsIn(*folder_));
        SimpleCall call(std::chrono::seconds(60));
        run(oci, call);
        ::_exit(0);
      } catch (const std::exception& e) {
        writeFile(told, e.what());
        ::_exit(1);
      }
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    const std::string why = readFileIfPresent(told, 1 << 16).value_or("");
    if (why.find("user namespaces are closed") != std::string::npos) ocelot::test::skip(why);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(why, 0, status);
  }

  std::unique_ptr<Folder> folder_;
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::RootlessTest);
