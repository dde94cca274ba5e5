// The plugin's words to the engine and its reading of the answers, against a scripted one.

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <future>

#include "plugins/runtime/docker/docker.hpp"
#include "tests/unit/docker/fake_engine.hpp"
#include "tests/unit/docker/fixture.hpp"

namespace ocelot::docker::test {
namespace {

bool asks(const Heard& heard, const std::string& part) { return heard.line.find(part) != std::string::npos; }

std::string inspection(const std::string& name, const std::string& state, const std::string& more = "") {
  return R"({"Id":"0123456789abcdef","Name":"/)" + name + R"(","Image":"sha256:1","State":{)" + state +
         R"(},"Config":{"Labels":{"ocelot.owner":"me")" + more + "}}}";
}

const char* const kRunning = R"("Status":"running","Running":true,"ExitCode":0)";

ContainerSpec spec(const std::string& name = "ocelot-1") {
  ContainerSpec out;
  out.name = name;
  out.owner = "me";
  out.image = "docker.io/library/debian:12";
  out.command = {"/ocelot/guest", "run"};
  return out;
}

}  // namespace

class ContainersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ContainersTest);
  CPPUNIT_TEST(aContainerIsAskedForHardened);
  CPPUNIT_TEST(aSpecThatCannotRunNeverReachesTheEngine);
  CPPUNIT_TEST(aFailedStartIsRemoved);
  CPPUNIT_TEST(aCreationWithoutAnswerIsLookedForAndRemoved);
  CPPUNIT_TEST(aTakenNameIsNotRemoved);
  CPPUNIT_TEST(aPathThatTheEngineDoesNotSeeIsNamed);
  CPPUNIT_TEST(waitTellsTheExitAndMemory);
  CPPUNIT_TEST(waitOutlivesARestartOfTheEngine);
  CPPUNIT_TEST(waitIsCancelled);
  CPPUNIT_TEST(aContainerThatNeverRanHasNoExitCode);
  CPPUNIT_TEST(garbageIsUnavailableAndNotAnEnd);
  CPPUNIT_TEST(anotherContainerWhoseIdBeginsLikeTheNameIsNotOurs);
  CPPUNIT_TEST(aForeignContainerIsNotTouched);
  CPPUNIT_TEST(killingWhatEndedIsNotFound);
  CPPUNIT_TEST(removeWaitsForAnotherWhoRemoves);
  CPPUNIT_TEST(removeTriesABusyOneAgain);
  CPPUNIT_TEST(listKeepsToItsOwner);
  CPPUNIT_TEST(probeNamesWhatIsWrong);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aContainerIsAskedForHardened() {
    FakeEngine fake([](const Heard& heard) {
      if (asks(heard, "/create")) return json(201, R"({"Id":"0123456789abcdef"})");
      return asks(heard, "/start") ? json(204, "") : Reply{};
    });
    const Folder folder;
    Docker docker(settingsFor(fake.socket()));
    ContainerSpec wanted = spec();
    wanted.digest = "sha256:abc";
    wanted.labels = {{"ocelot.build", "7"}, {"ocelot.owner", "forged"}};
    wanted.limits = {64u << 20, 2500, 99, 0};
    wanted.resources = {{Resource::Kind::file, folder.write("guest", "x"), "/ocelot/guest"},
                        {Resource::Kind::workspace, folder.path(), "/work"}};
    SimpleCall call;
    docker.start(call, wanted);
    CPPUNIT_ASSERT_EQUAL(std::string("POST /v1.41/containers/create?name=ocelot-1"), fake.heard().front());
    const auto body = Poco::JSON::Parser().parse(fake.lastBody("/create")).extract<Poco::JSON::Object::Ptr>();
    const auto host = body->getObject("HostConfig");
    const auto list = [](const Poco::JSON::Array::Ptr& array) {
      std::ostringstream out;
      array->stringify(out);
      return out.str();
    };
    CPPUNIT_ASSERT_EQUAL(std::string("sha256:abc"), body->getValue<std::string>("Image"));
    CPPUNIT_ASSERT_EQUAL(std::string("0:0"), body->getValue<std::string>("User"));
    CPPUNIT_ASSERT_EQUAL(std::string("/"), body->getValue<std::string>("WorkingDir"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["/ocelot/guest","run"])"), list(body->getArray("Entrypoint")));
    CPPUNIT_ASSERT_EQUAL(std::string("[\"ALL\"]"), list(host->getArray("CapDrop")));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["CHOWN","DAC_OVERRIDE","FOWNER","FSETID","SETUID","SETGID","KILL"])"),
                         list(host->getArray("CapAdd")));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["no-new-privileges:true"])"), list(host->getArray("SecurityOpt")));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), host->getObject("LogConfig")->getValue<std::string>("Type"));
    CPPUNIT_ASSERT_EQUAL(64 << 20, host->getValue<int>("Memory"));
    CPPUNIT_ASSERT_EQUAL(64 << 20, host->getValue<int>("MemorySwap"));
    CPPUNIT_ASSERT_EQUAL(250000, host->getValue<int>("CpuQuota"));
    CPPUNIT_ASSERT_EQUAL(99, host->getValue<int>("PidsLimit"));
    const auto labels = body->getObject("Labels");
    CPPUNIT_ASSERT_EQUAL(std::string("me"), labels->getValue<std::string>("ocelot.owner"));
    CPPUNIT_ASSERT_EQUAL(std::string("7"), labels->getValue<std::string>("ocelot.build"));
    const auto mounts = host->getArray("Mounts");
    CPPUNIT_ASSERT(mounts->getObject(0)->getValue<bool>("ReadOnly"));
    CPPUNIT_ASSERT(!mounts->getObject(1)->getValue<bool>("ReadOnly"));
  }

  void aSpecThatCannotRunNeverReachesTheEngine() {
    FakeEngine fake([](const Heard&) { return Reply{}; });
    const Folder folder;
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    const auto refuse = [&](const std::function<void(ContainerSpec&)>& spoil, const std::string& why) {
      ContainerSpec wanted = spec();
      spoil(wanted);
      contains(refused(Status::invalid, [&] { docker.start(call, wanted); }), why);
    };
    refuse([](ContainerSpec& s) { s.name = "a/../b"; }, "a name is");
    refuse([](ContainerSpec& s) { s.name = "-x"; }, "a name is");
    refuse([](ContainerSpec& s) { s.owner.clear(); }, "owner");
    refuse([](ContainerSpec& s) { s.command.clear(); }, "no command");
    refuse([](ContainerSpec& s) { s.network = "container:other"; }, "not bridge, none or host");
    const auto mounting = [&](const std::string& source, const std::string& target, Resource::Kind kind) {
      return [=](ContainerSpec& s) { s.resources = {{kind, source, target}}; };
    };
    refuse(mounting("/nonexistent/guest", "/g", Resource::Kind::file),
           "/nonexistent/guest does not exist on this worker");
    refuse(mounting(folder.path(), "/g", Resource::Kind::file), "not a regular file");
    refuse(mounting(folder.write("f", ""), "/g", Resource::Kind::folder), "not a folder");
    for (const std::string target :
         {"/", "work", "/work/", "/a//b", "/a/../b", "/proc", "/proc/self/fd/8", "/sys/x", "/dev/x"}) {
      refuse(mounting(folder.path(), target, Resource::Kind::folder), target);
    }
    CPPUNIT_ASSERT(fake.heard().empty());
  }

  void aFailedStartIsRemoved() {
    FakeEngine fake([](const Heard& heard) {
      if (asks(heard, "/create")) return json(201, R"({"Id":"0123456789abcdef"})");
      if (asks(heard, "/start")) return json(400, R"({"message":"exec: \"/ocelot/guest\": no such file"})");
      if (asks(heard, "GET")) return json(200, inspection("ocelot-1", R"("Status":"created")"));
      return json(204, "");
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    contains(refused(Status::invalid, [&] { docker.start(call, spec()); }),
             "docker: starting container ocelot-1: exec: \"/ocelot/guest\": no such file (status 400)");
    CPPUNIT_ASSERT_EQUAL(std::string("DELETE /v1.41/containers/0123456789abcdef?force=1&v=1"), fake.heard().back());
  }

  void aCreationWithoutAnswerIsLookedForAndRemoved() {
    FakeEngine fake([](const Heard& heard) {
      if (asks(heard, "/create")) return Reply{"HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{\"Id\"", false};
      if (asks(heard, "GET")) return json(200, inspection("ocelot-1", R"("Status":"created")"));
      return json(204, "");
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    refused(Status::unavailable, [&] { docker.start(call, spec()); });
    CPPUNIT_ASSERT_EQUAL(std::string("DELETE /v1.41/containers/0123456789abcdef?force=1&v=1"), fake.heard().back());
  }

  void aTakenNameIsNotRemoved() {
    FakeEngine fake([](const Heard& heard) {
      return asks(heard, "/create") ? json(409, R"({"message":"Conflict. The container name is in use"})") : Reply{};
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    contains(refused(Status::invalid, [&] { docker.start(call, spec()); }), "name is in use");
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), fake.heard().size());
  }

  void aPathThatTheEngineDoesNotSeeIsNamed() {
    const Folder folder;
    FakeEngine fake([&](const Heard& heard) {
      return asks(heard, "/create")
                 ? json(400,
                        R"({"message":"invalid mount config for type \"bind\": bind source path does not exist: )" +
                            folder.path() + "\"}")
                 : Reply{};
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    ContainerSpec wanted = spec();
    wanted.resources = {{Resource::Kind::folder, folder.path(), "/x"}};
    contains(refused(Status::invalid, [&] { docker.start(call, wanted); }),
             "does not see " + folder.path() + " of this worker; run the worker on the engine's machine");
  }

  void waitTellsTheExitAndMemory() {
    std::atomic<bool> over{false};
    FakeEngine fake([&](const Heard& heard) {
      if (asks(heard, "/wait")) {
        over = true;
        return json(200, R"({"StatusCode":137})");
      }
      return json(200,
                  inspection("ocelot-1",
                             over ? R"("Status":"exited","Running":false,"ExitCode":137,"OOMKilled":true)" : kRunning));
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    const Exit exit = docker.wait(call, "ocelot-1");
    CPPUNIT_ASSERT(exit.known && exit.out_of_memory);
    CPPUNIT_ASSERT_EQUAL(137, exit.code);
  }

  void waitOutlivesARestartOfTheEngine() {
    std::atomic<int> waits{0}, looks{0};
    FakeEngine fake([&](const Heard& heard) {
      // Cut off in the middle of the wait; then the engine is not up yet; then it is.
      if (asks(heard, "/wait"))
        return waits++ == 0 ? Reply{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false}
                            : json(200, R"({"StatusCode":3})");
      if (looks++ == 1) return json(500, R"({"message":"starting"})");
      return json(200, inspection("ocelot-1", waits > 1 ? R"("Status":"exited","ExitCode":3)" : kRunning));
    });
    Docker docker(settingsFor(fake.socket()));
    CancellableCall call;
    CPPUNIT_ASSERT_EQUAL(3, docker.wait(call, "ocelot-1").code);
    contains(call.logged(), "trying again");
  }

  void waitIsCancelled() {
    FakeEngine fake([](const Heard& heard) {
      return asks(heard, "/wait") ? Reply{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true}
                                  : json(200, inspection("ocelot-1", kRunning));
    });
    Docker docker(settingsFor(fake.socket()));
    CancellableCall call;
    auto waiting = std::async(std::launch::async,
                              [&] { return refused(Status::cancelled, [&] { docker.wait(call, "ocelot-1"); }); });
    fake.awaitRequest("/wait");
    call.cancel();
    contains(waiting.get(), "cancelled while waiting for container ocelot-1");
  }

  void aContainerThatNeverRanHasNoExitCode() {
    FakeEngine fake(
        [](const Heard&) { return json(200, inspection("ocelot-1", R"("Status":"created","ExitCode":0)")); });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    CPPUNIT_ASSERT(!docker.wait(call, "ocelot-1").known);
  }

  void garbageIsUnavailableAndNotAnEnd() {
    for (const std::string body : {"", "nonsense", "[]", "{\"Id\":", "null", "\"x\""}) {
      FakeEngine fake([&](const Heard&) { return json(200, body); });
      Docker docker(settingsFor(fake.socket()));
      SimpleCall call;
      refused(Status::unavailable, [&] { docker.kill(call, "ocelot-1", 9); });
      refused(Status::unavailable, [&] { docker.remove(call, "ocelot-1"); });
      if (body != "[]") refused(Status::unavailable, [&] { docker.list(call, "me"); });
    }
    // Right JSON of wrong types.
    FakeEngine fake([](const Heard& heard) {
      if (asks(heard, "/json?"))
        return json(200, R"([1,null,{"Names":7,"Labels":[]},{"Names":[{}],"Labels":{"ocelot.owner":"me"}}])");
      return json(200, R"({"Id":7,"Name":{},"State":[],"Config":"x"})");
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    refused(Status::not_found, [&] { docker.wait(call, "ocelot-1"); });
    CPPUNIT_ASSERT(docker.list(call, "me").empty());
  }

  void anotherContainerWhoseIdBeginsLikeTheNameIsNotOurs() {
    FakeEngine fake([](const Heard&) { return json(200, inspection("database", kRunning)); });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    docker.remove(call, "0123");
    refused(Status::not_found, [&] { docker.kill(call, "0123", 9); });
    for (const std::string& line : fake.heard()) contains(line, "GET ");
  }

  void aForeignContainerIsNotTouched() {
    FakeEngine fake([](const Heard&) {
      return json(200,
                  R"({"Id":"0123456789abcdef","Name":"/database","State":{"Running":true},"Config":{"Labels":null}})");
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    docker.remove(call, "database");
    refused(Status::not_found, [&] { docker.kill(call, "database", 9); });
    for (const std::string& line : fake.heard()) contains(line, "GET ");
  }

  void killingWhatEndedIsNotFound() {
    FakeEngine fake([](const Heard& heard) {
      return asks(heard, "/kill") ? json(409, R"({"message":"is not running"})")
                                  : json(200, inspection("ocelot-1", kRunning));
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    refused(Status::not_found, [&] { docker.kill(call, "ocelot-1", 15); });
    CPPUNIT_ASSERT_EQUAL(std::string("POST /v1.41/containers/0123456789abcdef/kill?signal=15"), fake.heard().back());
    refused(Status::invalid, [&] { docker.kill(call, "ocelot-1", 0); });
  }

  void removeWaitsForAnotherWhoRemoves() {
    FakeEngine fake([](const Heard& heard) {
      if (asks(heard, "DELETE")) return json(409, R"({"message":"removal is already in progress"})");
      if (asks(heard, "condition=removed")) return json(404, R"({"message":"No such container"})");
      return json(200, inspection("ocelot-1", R"("Status":"exited","ExitCode":0)"));
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    docker.remove(call, "ocelot-1");
    contains(fake.heard().back(), "condition=removed");
  }

  void removeTriesABusyOneAgain() {
    std::atomic<int> tries{0};
    FakeEngine fake([&](const Heard& heard) {
      if (asks(heard, "DELETE"))
        return ++tries < 3 ? json(500, R"({"message":"device or resource busy"})") : json(204, "");
      return json(200, inspection("ocelot-1", R"("Status":"exited","ExitCode":0)"));
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    docker.remove(call, "ocelot-1");
    CPPUNIT_ASSERT_EQUAL(3, tries.load());
  }

  void listKeepsToItsOwner() {
    FakeEngine fake([](const Heard&) {
      return json(
          200,
          R"([{"Names":["/other/alias","/ocelot-1"],"State":"running","Labels":{"ocelot.owner":"me","ocelot.build":"7"}},
                          {"Names":["/ocelot-2"],"State":"exited","Labels":{"ocelot.owner":"me"}},
                          {"Names":["/ocelot-3"],"State":"running","Labels":{"ocelot.owner":"you"}}])");
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    const auto found = docker.list(call, "me");
    CPPUNIT_ASSERT_EQUAL(std::size_t(2), found.size());
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot-1"), found[0].name);
    CPPUNIT_ASSERT(found[0].running && !found[1].running);
    CPPUNIT_ASSERT(found[0].labels == (Pairs{{"ocelot.build", "7"}}));
    contains(fake.heard().back(), "filters=%7B%22label%22%3A%5B%22ocelot.owner%3Dme%22%5D%7D");
  }

  void probeNamesWhatIsWrong() {
    const auto whyNot = [](const std::string& version, const std::string& info) {
      FakeEngine fake(
          [&](const Heard& heard) {
            if (asks(heard, "/version")) return json(200, version);
            return asks(heard, "/info") ? json(200, info) : json(404, "{}");
          },
          true);
      Docker docker(settingsFor(fake.socket()));
      SimpleCall call;
      const RuntimeFacts facts = docker.probe(call);
      CPPUNIT_ASSERT_EQUAL(facts.usable, facts.why_not.empty());
      return facts.why_not;
    };
    const std::string version = R"({"Version":"24.0.1","ApiVersion":"1.43","MinAPIVersion":"1.12"})";
    CPPUNIT_ASSERT_EQUAL(std::string(), whyNot(version, R"({"OSType":"linux"})"));
    contains(whyNot(version, R"({"OSType":"windows"})"), "windows containers");
    contains(whyNot(version, R"({"OSType":"linux","SecurityOptions":["name=seccomp,profile=default","name=userns"]})"),
             "userns-remap");
    contains(whyNot(R"({"ApiVersion":"1.41","Components":[{"Name":"Podman Engine"}]})", R"({"OSType":"linux"})"),
             "Podman");
    contains(whyNot("<html>", "{}"), "does not speak the Docker Engine API");
    Docker docker(settingsFor("/nonexistent/docker.sock"));
    SimpleCall call;
    contains(docker.probe(call).why_not, "there is no such socket; start the engine");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ContainersTest);

}  // namespace ocelot::docker::test
