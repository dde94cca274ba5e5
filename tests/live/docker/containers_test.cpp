// Containers of a real engine.

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <future>

#include "tests/live/docker/live.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::docker::test {
namespace {

// Blocks until the container has opened the fifo, which it does by `: > FIFO`: it runs then.
void awaitFifo(const std::string& fifo) {
  const int fd = ::open(fifo.c_str(), O_RDONLY);
  CPPUNIT_ASSERT(fd >= 0);
  ::close(fd);
}

}  // namespace

class LiveContainersTest : public LiveFixture {
  CPPUNIT_TEST_SUITE(LiveContainersTest);
  CPPUNIT_TEST(anEngineThatAnswersIsUsable);
  CPPUNIT_TEST(aBuildStartsEndsAndIsGone);
  CPPUNIT_TEST(theGuestSeesItsFilesAndFolders);
  CPPUNIT_TEST(theContainerIsHardened);
  CPPUNIT_TEST(limitsHold);
  CPPUNIT_TEST(killEndsItWith128AndTheSignal);
  CPPUNIT_TEST(tooMuchMemoryIsToldAsSuch);
  CPPUNIT_TEST(waitIsCancelledAndTheBuildGoesOn);
  CPPUNIT_TEST(whatAKilledStarterLeftIsFoundAndAdopted);
  CPPUNIT_TEST(removingTwiceAndAtOnceIsSafe);
  CPPUNIT_TEST(listKeepsToItsOwner);
  CPPUNIT_TEST(aStartThatFailsLeavesNothing);
  CPPUNIT_TEST(theWorkspaceGoesWithTheContainer);
  CPPUNIT_TEST(anOrdinaryUsersWorkerLeavesNoFilesOfRoot);
  CPPUNIT_TEST(networksAreAsAsked);
  CPPUNIT_TEST_SUITE_END();

  std::string fifo(const std::string& name) {
    const std::string path = folder_->path(name);
    CPPUNIT_ASSERT_EQUAL(0, ::mkfifo(path.c_str(), 0666));
    return path;
  }
  Resource shared(const std::string& target = "/control") { return {Resource::Kind::folder, folder_->path(), target}; }

 public:
  void anEngineThatAnswersIsUsable() {
    const RuntimeFacts facts = docker_->probe(call_);
    CPPUNIT_ASSERT_MESSAGE(facts.why_not, facts.usable);
    contains(facts.engine, "Docker Engine ");
    const auto has = [&](const std::pair<std::string, std::string>& wanted) {
      return std::find(facts.features.begin(), facts.features.end(), wanted) != facts.features.end();
    };
    CPPUNIT_ASSERT(has({"network.none", "yes"}) && has({"limits.memory", "yes"}) && has({"limits.disk", "no"}));
  }

  void aBuildStartsEndsAndIsGone() {
    const ContainerSpec spec = shell("exit 7");
    const Exit exit = run(spec);
    CPPUNIT_ASSERT(exit.known && !exit.out_of_memory);
    CPPUNIT_ASSERT_EQUAL(7, exit.code);
    CPPUNIT_ASSERT(listed(spec.name));
    docker_->remove(call_, spec.name);
    CPPUNIT_ASSERT(!listed(spec.name));
    refused(Status::not_found, [&] { docker_->wait(call_, spec.name); });
  }

  void theGuestSeesItsFilesAndFolders() {
    std::filesystem::create_directory(folder_->path("control"));
    const std::string guest =
        folder_->write("guest", "#!/bin/sh\necho \"$1\" > /ocelot/control/said; echo x >> /ocelot/guest\n");
    ::chmod(guest.c_str(), 0755);
    ContainerSpec spec = shell("");
    spec.command = {"/ocelot/guest", "hello"};
    spec.resources = {{Resource::Kind::file, guest, "/ocelot/guest"},
                      {Resource::Kind::folder, folder_->path("control"), "/ocelot/control"}};
    CPPUNIT_ASSERT(run(spec).code != 0);  // the guest's file is read-only, also for root
    CPPUNIT_ASSERT_EQUAL(std::string("hello\n"), Folder::read(folder_->path("control/said")));
    docker_->remove(call_, spec.name);
    CPPUNIT_ASSERT(std::filesystem::exists(folder_->path("control/said")));  // a folder is not a workspace
  }

  void theContainerIsHardened() {
    ContainerSpec spec = shell(
        "cat /proc/self/status > /control/status; hostname > /control/host; id -u > /control/id; env > /control/env");
    spec.hostname = "build-7";
    spec.resources = {shared()};
    CPPUNIT_ASSERT_EQUAL(0, run(spec).code);
    const std::string status = Folder::read(folder_->path("status"));
    contains(status, "CapEff:\t00000000000000fb");  // the seven
    contains(status, "CapBnd:\t00000000000000fb");
    contains(status, "NoNewPrivs:\t1");
    contains(status, "Seccomp:\t2");
    CPPUNIT_ASSERT_EQUAL(std::string("build-7\n"), Folder::read(folder_->path("host")));
    CPPUNIT_ASSERT_EQUAL(std::string("0\n"), Folder::read(folder_->path("id")));
  }

  void limitsHold() {
    ContainerSpec spec = shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done 2>/dev/null; exit 3");
    spec.limits.pids = 5;
    spec.limits.cpu_millis = 64000;  // more cores than any machine of ours has
    const Exit exit = run(spec);
    CPPUNIT_ASSERT(exit.known && exit.code != 3);  // the shell gives up when it cannot fork
  }

  void killEndsItWith128AndTheSignal() {
    const ContainerSpec spec = shell("trap 'exit 5' TERM; : > /control/up; while :; do sleep 0.05; done");
    ContainerSpec waiting = spec;
    waiting.resources = {shared()};
    const std::string up = fifo("up");
    docker_->start(call_, waiting);
    awaitFifo(up);
    docker_->kill(call_, spec.name, SIGTERM);
    CPPUNIT_ASSERT_EQUAL(5, docker_->wait(call_, spec.name).code);
    refused(Status::not_found, [&] { docker_->kill(call_, spec.name, SIGTERM); });

    const ContainerSpec stubborn = shell("sleep 60");
    docker_->start(call_, stubborn);
    auto ended = std::async(std::launch::async, [&] { return docker_->wait(call_, stubborn.name); });
    docker_->kill(call_, stubborn.name, SIGKILL);
    CPPUNIT_ASSERT_EQUAL(128 + SIGKILL, ended.get().code);
    refused(Status::not_found, [&] { docker_->kill(call_, "ocelot-no-such", SIGKILL); });
  }

  void tooMuchMemoryIsToldAsSuch() {
    ContainerSpec spec = shell("exec tail /dev/zero");
    spec.limits.memory_bytes = 32u << 20;
    const Exit exit = run(spec);
    CPPUNIT_ASSERT(exit.known && exit.out_of_memory);
    CPPUNIT_ASSERT_EQUAL(137, exit.code);
  }

  void waitIsCancelledAndTheBuildGoesOn() {
    ContainerSpec spec = shell("sleep 60");
    docker_->start(call_, spec);
    SimpleCall brief(std::chrono::milliseconds(200));
    refused(Status::cancelled, [&] { docker_->wait(brief, spec.name); });
    CPPUNIT_ASSERT(docker_->list(call_, owner_).front().running);
  }

  void whatAKilledStarterLeftIsFoundAndAdopted() {
    const std::string up = fifo("up"), go = fifo("go");
    ContainerSpec spec = shell(": > /control/up; cat /control/go; exit 9");
    spec.resources = {shared()};
    spec.labels = {{"ocelot.build", "b-1"}};
    const pid_t starter = ::fork();
    if (starter == 0) {
      Docker own(settingsFor(socket_));
      SimpleCall call;
      own.start(call, spec);
      own.wait(call, spec.name);
      ::_exit(0);
    }
    awaitFifo(up);
    ::kill(starter, SIGKILL);
    ::waitpid(starter, nullptr, 0);
    Docker next(settingsFor(socket_));
    // The container's first words may come before the engine's own books say that it runs.
    const auto until = Call::Clock::now() + std::chrono::seconds(20);
    auto found = next.list(call_, owner_);
    while (Call::Clock::now() < until && found.size() == 1 && !found[0].running) found = next.list(call_, owner_);
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), found.size());
    CPPUNIT_ASSERT(found[0].running);
    const auto build = std::find(found[0].labels.begin(), found[0].labels.end(),
                                 std::make_pair(std::string("ocelot.build"), std::string("b-1")));
    CPPUNIT_ASSERT(build != found[0].labels.end());
    ::close(::open(go.c_str(), O_WRONLY));
    CPPUNIT_ASSERT_EQUAL(9, next.wait(call_, found[0].name).code);
    next.remove(call_, found[0].name);
    CPPUNIT_ASSERT(next.list(call_, owner_).empty());
  }

  void removingTwiceAndAtOnceIsSafe() {
    const ContainerSpec spec = shell("sleep 60");
    docker_->start(call_, spec);
    std::vector<std::future<void>> removers;
    for (int i = 0; i < 4; ++i) {
      removers.push_back(std::async(std::launch::async, [&] {
        SimpleCall own;
        docker_->remove(own, spec.name);
      }));
    }
    for (auto& remover : removers) remover.get();
    docker_->remove(call_, spec.name);
    docker_->remove(call_, "ocelot-never-was");
    docker_->remove(call_, "");
    CPPUNIT_ASSERT(!listed(spec.name));
  }

  void listKeepsToItsOwner() {
    ContainerSpec mine = shell("true"), other = shell("true");
    other.owner = owner_ + "x";
    run(mine);
    run(other);
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), docker_->list(call_, owner_).size());
    CPPUNIT_ASSERT_EQUAL(other.name, docker_->list(call_, owner_ + "x").at(0).name);
    CPPUNIT_ASSERT(docker_->list(call_, "test").empty());
    docker_->remove(call_, other.name);
  }

  void aStartThatFailsLeavesNothing() {
    ContainerSpec spec = shell("");
    spec.command = {"/no/such/guest"};
    contains(refused(Status::invalid, [&] { docker_->start(call_, spec); }), "/no/such/guest");
    CPPUNIT_ASSERT(!listed(spec.name));
    spec.command = {"/bin/true"};
    spec.image = "ocelot.local/not-there:1";
    contains(refused(Status::not_found, [&] { docker_->start(call_, spec); }), "pull the image first");
    spec.image = image_;
    run(spec);
    contains(refused(Status::invalid, [&] { docker_->start(call_, spec); }), "already in use");
    CPPUNIT_ASSERT(listed(spec.name));
  }

  void theWorkspaceGoesWithTheContainer() {
    folder_->write("work/source/file", "kept?");
    ContainerSpec spec =
        shell("cd /work && mkdir -p a/.b/c && touch .hidden a/.b/c/deep && cat source/file && chmod 0 a");
    spec.resources = {{Resource::Kind::workspace, folder_->path("work"), "/work"},
                      {Resource::Kind::workspace, "", "/scratch"}};
    CPPUNIT_ASSERT_EQUAL(0, run(spec).code);
    CPPUNIT_ASSERT(std::filesystem::exists(folder_->path("work/.hidden")));
    docker_->remove(call_, spec.name);
    CPPUNIT_ASSERT(!std::filesystem::exists(folder_->path("work")));
  }

  void anOrdinaryUsersWorkerLeavesNoFilesOfRoot() {
    if (::geteuid() != 0) ocelot::test::skip("needs root, to become another user");
    folder_->write("users/work/file", "x");
    const uid_t nobody = 65534;
    for (const char* path : {"users", "users/work", "users/work/file"}) {
      CPPUNIT_ASSERT_EQUAL(0, ::chown(folder_->path(path).c_str(), nobody, nobody));
    }
    ContainerSpec spec = shell("cd /work && mkdir -p d/e .h && touch d/e/f .h/g ..odd");
    spec.resources = {{Resource::Kind::workspace, folder_->path("users/work"), "/work"}};
    CPPUNIT_ASSERT_EQUAL(0, run(spec).code);
    struct stat about {};
    CPPUNIT_ASSERT_EQUAL(
        0, ::stat(socket_.substr(socket_.find('/') + (socket_.rfind("unix://", 0) == 0 ? 2 : 0)).c_str(), &about));
    const pid_t worker = ::fork();
    if (worker == 0) {
      // Like a member of the group docker.
      const gid_t group = about.st_gid;
      if (::setgroups(1, &group) != 0 || ::setgid(group) != 0 || ::setuid(nobody) != 0) ::_exit(2);
      try {
        Docker own(settingsFor(socket_));
        SimpleCall call;
        own.remove(call, spec.name);
        ::_exit(0);
      } catch (const std::exception& e) {
        (void)!::write(2, e.what(), std::string(e.what()).size());
        ::_exit(1);
      }
    }
    int status = 0;
    ::waitpid(worker, &status, 0);
    CPPUNIT_ASSERT_EQUAL(0, status);
    CPPUNIT_ASSERT(!std::filesystem::exists(folder_->path("users/work")));
    CPPUNIT_ASSERT(docker_->list(call_, owner_).empty());
  }

  void networksAreAsAsked() {
    const auto interfaces = [&](const std::string& network) {
      ContainerSpec spec = shell("ls /sys/class/net > /control/net-" + network);
      spec.network = network;
      spec.resources = {shared()};
      CPPUNIT_ASSERT_EQUAL(0, run(spec).code);
      return Folder::read(folder_->path("net-" + network));
    };
    CPPUNIT_ASSERT(interfaces("none").find("eth0") == std::string::npos);
    contains(interfaces("bridge"), "eth0");
    contains(interfaces("host"), "lo");
    Settings settings = settingsFor(socket_);
    settings.set("network", {"ocelot-no-such-network"});
    Docker lost(settings);
    ContainerSpec spec = shell("true");
    spec.network = "bridge";
    contains(refused(Status::invalid, [&] { lost.start(call_, spec); }), "ocelot-no-such-network");
    CPPUNIT_ASSERT(!listed(spec.name));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LiveContainersTest);

}  // namespace ocelot::docker::test
