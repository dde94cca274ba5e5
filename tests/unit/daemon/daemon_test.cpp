#include "host/daemon/daemon.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "host/http/client.hpp"
#include "tests/support/fake_consul.hpp"
#include "tests/support/temp_folder.hpp"

using namespace ocelot;
using namespace ocelot::daemon;

namespace {

// Says on stderr what it is told; its section is the poller's, as any would do.
class Sample : public Daemon {
 public:
  std::string section() const override { return "poller"; }
  std::string description() const override { return "a daemon for tests"; }
  void check(const config::Config& config, std::vector<config::Problem>& problems) override {
    if (config.number("poller.threads") == 13) problems.push_back({config.where("poller.threads"), "13 is unlucky"});
  }
  void open(Context&) override {
    // Its engine is a file.
    const char* engine = std::getenv("SAMPLE_ENGINE");
    std::string word;
    if (engine) std::ifstream(engine) >> word;
    if (word == "refuses") throw std::runtime_error("store: password refused");
    if (word == "unfit") throw Unfit("store: it is of ocelot 9.9");
    if (engine && word.empty()) throw Away("store", "nothing listens at 10.0.0.9");
  }
  void start(Context& context) override {
    if (std::getenv("SAMPLE_FAILS")) throw std::runtime_error("store: connection refused");
    context.health().add("store", [] { return std::string(std::getenv("SAMPLE_SICK") ? "refused by 10.0.0.9" : ""); });
    context.health().addWarning("queue",
                                [] { return std::string(std::getenv("SAMPLE_WARNS") ? "nsqd2 is away" : ""); });
    http::Routes routes;
    routes.get("/v1/name", http::Role::viewer, [](const http::Request& r) { return http::text(r.identity.name); });
    routes.post("/v1/fail", http::Role::none, [&context](const http::Request&) {
      context.fail("the disk is gone");
      return http::nothing();
    });
    context.serve(std::move(routes),
                  [](const http::Request&, const std::string& token) -> std::optional<http::Identity> {
                    if (token != "good") return std::nullopt;
                    return http::Identity{"1", "tester", http::Role::viewer};
                  });
  }
  void drain(Context&) override {
    log(LogLevel::info, "sample drains");
    if (!std::getenv("SAMPLE_WAITS")) return;
    pollfd hurried{hurry_[0], POLLIN, 0};
    ::poll(&hurried, 1, -1);
  }
  void hurry(Context&) override {
    if (std::getenv("SAMPLE_DEAF")) return;
    [[maybe_unused]] const auto written = ::write(hurry_[1], "x", 1);
  }
  void stop(Context&) override { log(LogLevel::info, "sample stops"); }
  void reload(Context&, const config::Config& config) override {
    log(LogLevel::info, "sample reloads", {{"threads", std::to_string(config.number("poller.threads"))}});
  }
  Sample() { CPPUNIT_ASSERT_EQUAL(0, ::pipe(hurry_)); }

 private:
  int hurry_[2];
};

// The daemon in a process of its own, with what it writes.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {}) {
    int ends[2];
    CPPUNIT_ASSERT_EQUAL(0, ::pipe(ends));
    pid_ = ::fork();
    CPPUNIT_ASSERT(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(ends[1], 1);
      ::dup2(ends[1], 2);
      ::close(ends[0]);
      ::close(ends[1]);
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      arguments.insert(arguments.begin(), "ocelot-poller");
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      const int status =
          run(static_cast<int>(arguments.size()), argv.data(), [] { return std::make_unique<Sample>(); });
      std::cout.flush();
      ::_exit(status);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) { CPPUNIT_ASSERT_EQUAL(0, ::kill(pid_, number)); }
  std::string waitFor(const std::string& text) {
    while (said_.find(text) == std::string::npos) {
      CPPUNIT_ASSERT_MESSAGE("it ended without saying \"" + text + "\": " + said_, more());
    }
    return said_;
  }
  // Its exit status; afterwards said() is everything.
  int end() {
    while (more()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  const std::string& said() const { return said_; }
  // From the line that says where it listens.
  std::string url(const std::string& before = " ready listen=") {
    waitFor(before);
    const auto line = said_.find(before);
    while (said_.find('\n', line) == std::string::npos) CPPUNIT_ASSERT(more());
    const auto at = said_.find("http://", line);
    return said_.substr(at, said_.find_first_of(" \n", at) - at);
  }

 private:
  bool more() {
    pollfd fd{out_, POLLIN, 0};
    CPPUNIT_ASSERT_MESSAGE("nothing came for 30 s; so far: " + said_, ::poll(&fd, 1, 30000) == 1);
    char buffer[4096];
    const ssize_t got = ::read(out_, buffer, sizeof buffer);
    if (got > 0) said_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }
  pid_t pid_ = -1;
  int out_ = -1;
  std::string said_;
};

struct TemporaryFile {
  explicit TemporaryFile(const std::string& content) {
    char name[] = "/tmp/ocelot-daemon-test-XXXXXX";
    const int fd = mkstemp(name);
    CPPUNIT_ASSERT(fd >= 0);
    ::close(fd);
    path = name;
    write(content);
  }
  ~TemporaryFile() { ::unlink(path.c_str()); }
  void write(const std::string& content) const { std::ofstream(path) << content; }
  std::string path;
};

const char* const kQuiet = "poller: {listen: '127.0.0.1:0'}\n";

HttpAnswer ask(const std::string& url, const std::string& path, const std::string& token = "",
               const std::string& method = "GET", const std::string& forwarded = "") {
  http::ClientSettings settings;
  settings.url = url;
  settings.token = token;
  http::Client client(settings);
  SimpleCall call(std::chrono::seconds(20));
  HttpRequest request;
  request.method = method;
  request.url = path;
  if (!forwarded.empty()) request.headers.emplace_back("X-Forwarded-For", forwarded);
  return client.send(call, request);
}

}  // namespace

class DaemonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DaemonTest);
  CPPUNIT_TEST(aBadConfigurationEndsWith78AndEveryMistake);
  CPPUNIT_TEST(aBadCommandLineEndsWith78);
  CPPUNIT_TEST(helpVersionAndCheckConfigAnswerAndEnd);
  CPPUNIT_TEST(aFaultAtTheStartEndsWith1);
  CPPUNIT_TEST(whileAnEngineIsAwayItIsUpAndNotReady);
  CPPUNIT_TEST(anEngineThatRefusesEndsIt);
  CPPUNIT_TEST(whatIsNotForThisProgramEndsItWith78);
  CPPUNIT_TEST(whoeverWaitsForAnEngineEndsWhenAsked);
  CPPUNIT_TEST(itServesAndDrains);
  CPPUNIT_TEST(readinessNamesWhatIsDown);
  CPPUNIT_TEST(metricsAreForThisMachineOrAViewer);
  CPPUNIT_TEST(aSecondTermHurriesIt);
  CPPUNIT_TEST(aThirdTermEndsIt);
  CPPUNIT_TEST(hangUpReadsTheConfigurationAgain);
  CPPUNIT_TEST(aSharedDocumentIsLaidOverTheFileAndWatched);
  CPPUNIT_TEST(aSharedDocumentThatCannotBeReadYetIsWaitedFor);
  CPPUNIT_TEST(aConsulThatRefusesEndsIt);
  CPPUNIT_TEST(aFaultLaterDrainsAndEndsWith1);
  CPPUNIT_TEST(theServiceManagerIsTold);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aBadConfigurationEndsWith78AndEveryMistake() {
    const TemporaryFile file("poller:\n  thraeds: 2\n  listen: nowhere\n");
    Process process({"--config", file.path, "--set", "log.level=loud"});
    CPPUNIT_ASSERT_EQUAL(78, process.end());
    CPPUNIT_ASSERT_EQUAL(
        "ocelot-poller: " + file.path + ":2: poller.thraeds: no such key (did you mean \"poller.threads\"?)\n" +
            "ocelot-poller: " + file.path +
            ":3: poller.listen: must be HOST:PORT, [IPV6]:PORT or unix:/PATH, not \"nowhere\"\n"
            "ocelot-poller: --set log.level: must be one of debug, info, warning, error, not \"loud\"\n"
            "ocelot-poller: not started: 3 mistakes in the configuration\n",
        process.said());
    Process unlucky({"--set", "poller.threads=13", "--check-config"});
    CPPUNIT_ASSERT_EQUAL(78, unlucky.end());
    CPPUNIT_ASSERT(unlucky.said().find("--set poller.threads: 13 is unlucky\n") != std::string::npos);
    Process missing({"--config", "/nowhere/server.yaml"});
    CPPUNIT_ASSERT_EQUAL(78, missing.end());
    CPPUNIT_ASSERT(missing.said().find("/nowhere/server.yaml: cannot be read: No such file") != std::string::npos);
  }

  void aBadCommandLineEndsWith78() {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--nonsense"}, {"--daemon"}, {"--pidfile=/tmp/x"}, {"word"}, {"--config"}}) {
      Process process(arguments);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(arguments[0] + ": " + process.said(), 78, process.end());
      CPPUNIT_ASSERT_MESSAGE(process.said(), process.said().find("try --help") != std::string::npos);
    }
  }

  void helpVersionAndCheckConfigAnswerAndEnd() {
    Process help({"--help"});
    CPPUNIT_ASSERT_EQUAL(0, help.end());
    CPPUNIT_ASSERT(help.said().find("ocelot-poller: a daemon for tests\n") == 0);
    CPPUNIT_ASSERT(help.said().find("--check-config") != std::string::npos);
    Process version({"--version"});
    CPPUNIT_ASSERT_EQUAL(0, version.end());
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot-poller " OCELOT_VERSION "\n"), version.said());
    const TemporaryFile file(kQuiet);
    Process check({"--config=" + file.path, "--check-config"});
    CPPUNIT_ASSERT_EQUAL(0, check.end());
    CPPUNIT_ASSERT_EQUAL("ocelot-poller: the configuration is right (" + file.path + ")\n", check.said());
  }

  void aFaultAtTheStartEndsWith1() {
    const TemporaryFile file(kQuiet);
    Process process({"--config", file.path}, {{"SAMPLE_FAILS", "1"}});
    CPPUNIT_ASSERT_EQUAL(1, process.end());
    CPPUNIT_ASSERT(process.said().find("ocelot-poller error: cannot start: store: connection refused\n") !=
                   std::string::npos);
  }

  void whileAnEngineIsAwayItIsUpAndNotReady() {
    const TemporaryFile file(kQuiet), engine("");
    Process process({"--config", file.path}, {{"SAMPLE_ENGINE", engine.path}});
    const std::string waiting = process.url("not ready yet listen=");
    CPPUNIT_ASSERT(process.said().find("waiting for the store why=\"nothing listens at 10.0.0.9\"") !=
                   std::string::npos);
    CPPUNIT_ASSERT_EQUAL(200, ask(waiting, "/healthz").status);
    const auto unready = ask(waiting, "/readyz");
    CPPUNIT_ASSERT_EQUAL(503, unready.status);
    CPPUNIT_ASSERT_MESSAGE(unready.body, unready.body.find("nothing listens at 10.0.0.9") != std::string::npos);
    for (const char* method : {"GET", "POST"}) {
      const auto refused = ask(waiting, "/v1/name", "good", method);
      CPPUNIT_ASSERT_EQUAL(503, refused.status);
      CPPUNIT_ASSERT_EQUAL(std::string("5"), http::headerOf(refused, "retry-after"));
    }
    engine.write("there");
    const std::string url = process.url();
    CPPUNIT_ASSERT_EQUAL(200, ask(url, "/readyz").status);
    CPPUNIT_ASSERT_EQUAL(std::string("tester"), ask(url, "/v1/name", "good").body);
    process.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(0, process.end());
  }

  void anEngineThatRefusesEndsIt() {
    const TemporaryFile file(kQuiet), engine("");
    Process process({"--config", file.path}, {{"SAMPLE_ENGINE", engine.path}});
    process.waitFor("not ready yet");
    engine.write("refuses");
    CPPUNIT_ASSERT_EQUAL(1, process.end());
    CPPUNIT_ASSERT(process.said().find("cannot start: store: password refused") != std::string::npos);
  }

  void whatIsNotForThisProgramEndsItWith78() {
    const TemporaryFile file(kQuiet), engine("unfit");
    Process process({"--config", file.path}, {{"SAMPLE_ENGINE", engine.path}});
    CPPUNIT_ASSERT_EQUAL(78, process.end());
    CPPUNIT_ASSERT(process.said().find("cannot start: store: it is of ocelot 9.9\n") != std::string::npos);
  }

  void whoeverWaitsForAnEngineEndsWhenAsked() {
    const TemporaryFile file(kQuiet), engine("");
    Process process({"--config", file.path}, {{"SAMPLE_ENGINE", engine.path}});
    process.waitFor("not ready yet");
    process.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(0, process.end());
    CPPUNIT_ASSERT(process.said().find("sample stops") == std::string::npos);
  }

  void itServesAndDrains() {
    const TemporaryFile file(kQuiet);
    Process process({"--config", file.path});
    const std::string url = process.url();
    CPPUNIT_ASSERT_EQUAL(std::string("ok\n"), ask(url, "/healthz").body);
    CPPUNIT_ASSERT_EQUAL(std::string("tester"), ask(url, "/v1/name", "good").body);
    CPPUNIT_ASSERT_EQUAL(401, ask(url, "/v1/name").status);
    process.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(0, process.end());
    const auto drains = process.said().find("sample drains"), stops = process.said().find("sample stops");
    CPPUNIT_ASSERT(drains != std::string::npos && stops != std::string::npos && drains < stops);
  }

  void readinessNamesWhatIsDown() {
    const TemporaryFile file(kQuiet);
    Process well({"--config", file.path});
    CPPUNIT_ASSERT_EQUAL(200, ask(well.url(), "/readyz").status);
    Process sick({"--config", file.path}, {{"SAMPLE_SICK", "1"}});
    const HttpAnswer answer = ask(sick.url(), "/readyz");
    CPPUNIT_ASSERT_EQUAL(503, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"down\":[{\"name\":\"store\",\"why\":\"refused by "
                                     "10.0.0.9\"}],\"warnings\":[],\"draining\":false,\"ready\":false}\n"),
                         answer.body);
    // From elsewhere: which, not why.
    const HttpAnswer outside = ask(sick.url(), "/readyz", "", "GET", "203.0.113.9");
    CPPUNIT_ASSERT_EQUAL(
        std::string("{\"down\":[{\"name\":\"store\"}],\"warnings\":[],\"draining\":false,\"ready\":false}\n"),
        outside.body);
    CPPUNIT_ASSERT_EQUAL(200, ask(sick.url(), "/healthz").status);
    Process warning({"--config", file.path}, {{"SAMPLE_WARNS", "1"}});
    const HttpAnswer warned = ask(warning.url(), "/readyz");
    CPPUNIT_ASSERT_EQUAL(200, warned.status);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"down\":[],\"warnings\":[{\"name\":\"queue\",\"why\":\"nsqd2 is "
                                     "away\"}],\"draining\":false,\"ready\":true}\n"),
                         warned.body);
  }

  void metricsAreForThisMachineOrAViewer() {
    const TemporaryFile file(kQuiet);
    Process process({"--config", file.path});
    ask(process.url(), "/v1/name", "good");
    const std::string metrics = ask(process.url(), "/metrics").body;
    CPPUNIT_ASSERT_MESSAGE(
        metrics, metrics.find("ocelot_http_requests_total{method=\"GET\",route=\"/v1/name\",status=\"200\"} 1\n") !=
                     std::string::npos);
    CPPUNIT_ASSERT(metrics.find("process_resident_memory_bytes ") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(401, ask(process.url(), "/metrics", "", "GET", "203.0.113.9").status);
    CPPUNIT_ASSERT_EQUAL(401, ask(process.url(), "/metrics", "bad", "GET", "203.0.113.9").status);
    CPPUNIT_ASSERT_EQUAL(200, ask(process.url(), "/metrics", "good", "GET", "203.0.113.9").status);
  }

  void aSecondTermHurriesIt() {
    const TemporaryFile file(kQuiet);
    Process process({"--config", file.path}, {{"SAMPLE_WAITS", "1"}});
    const std::string url = process.url();
    process.signal(SIGTERM);
    process.waitFor("sample drains");
    CPPUNIT_ASSERT(ask(url, "/readyz").body.find("\"draining\":true") != std::string::npos);  // it still answers
    process.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(0, process.end());
    CPPUNIT_ASSERT(process.said().find("hurrying") != std::string::npos);
  }

  void aThirdTermEndsIt() {
    const TemporaryFile file(kQuiet);
    Process process({"--config", file.path}, {{"SAMPLE_WAITS", "1"}, {"SAMPLE_DEAF", "1"}});
    process.waitFor("ready");
    process.signal(SIGTERM);
    process.waitFor("sample drains");
    process.signal(SIGTERM);
    process.waitFor("hurrying");
    process.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(1, process.end());
    CPPUNIT_ASSERT(process.said().find("third time") != std::string::npos);
  }

  void hangUpReadsTheConfigurationAgain() {
    const TemporaryFile file("poller: {listen: '127.0.0.1:0', threads: 2}\n");
    Process process({"--config", file.path});
    process.waitFor("ready");
    file.write("poller: {listen: '127.0.0.1:0', threads: 7}\n");
    process.signal(SIGHUP);
    process.waitFor("sample reloads threads=7");
    file.write("poller: {threads: many}\n");
    process.signal(SIGHUP);
    process.waitFor(":1: poller.threads: must be a whole number, not \"many\"");
    process.waitFor("the old configuration stays");
    CPPUNIT_ASSERT_EQUAL(200, ask(process.url(), "/healthz").status);
    process.signal(SIGINT);
    CPPUNIT_ASSERT_EQUAL(0, process.end());
  }

  void aSharedDocumentIsLaidOverTheFileAndWatched() {
    test::FakeConsul consul("poller: {threads: 5}\n");
    test::TempFolder folder;
    const TemporaryFile file(std::string(kQuiet) + "data_dir: " + folder.path + "\nconsul: {config: true, url: '" +
                             consul.server().url() + "'}\n");
    {
      Process process({"--config", file.path});
      const std::string url = process.url();
      consul.put("poller: {threads: 7}\n");
      process.waitFor("sample reloads threads=7");
      // A mistake changes nothing, and is told.
      consul.put("poller: {threads: many}\n");
      process.waitFor("consul:ocelot/config:1: poller.threads: must be a whole number, not \"many\"");
      process.waitFor("the old configuration stays");
      const auto ready = ask(url, "/readyz");
      CPPUNIT_ASSERT_EQUAL(503, ready.status);
      CPPUNIT_ASSERT_MESSAGE(ready.body, ready.body.find("\"configuration\"") != std::string::npos);
      CPPUNIT_ASSERT_MESSAGE(ready.body, ready.body.find("the last good one is used") != std::string::npos);
      consul.put("poller: {threads: 8}\n");
      process.waitFor("sample reloads threads=8");
      for (int tries = 0; ask(url, "/readyz").status != 200; ++tries) {
        CPPUNIT_ASSERT_MESSAGE("still not ready", tries < 400);
        ::poll(nullptr, 0, 50);  // a check is asked once a second
      }
      process.signal(SIGTERM);
      CPPUNIT_ASSERT_EQUAL(0, process.end());
    }
    // A daemon that starts with a document that is wrong by now, or without Consul, has the last good one.
    consul.put("poller: {thraeds: 1}\n");
    Process wrong({"--config", file.path});
    wrong.waitFor("did you mean \"poller.threads\"");
    wrong.url();
    consul.answerWith(test::answer(500, "No cluster leader"));
    Process away({"--config", file.path});
    away.waitFor("the last known shared configuration is used");
    away.url();
  }

  void aSharedDocumentThatCannotBeReadYetIsWaitedFor() {
    test::FakeConsul consul("poller: {threads: 5}\n");
    consul.answerWith(test::answer(500, "No cluster leader"));
    test::TempFolder folder;
    const TemporaryFile file(std::string(kQuiet) + "data_dir: " + folder.path + "\nconsul: {config: true, url: '" +
                             consul.server().url() + "'}\n");
    Process process({"--config", file.path});
    const std::string waiting = process.url("not ready yet listen=");
    const auto unready = ask(waiting, "/readyz");
    CPPUNIT_ASSERT_EQUAL(503, unready.status);
    CPPUNIT_ASSERT_MESSAGE(unready.body, unready.body.find("No cluster leader") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(200, ask(waiting, "/healthz").status);
    consul.answerWith("");
    CPPUNIT_ASSERT_EQUAL(200, ask(process.url(), "/readyz").status);
    consul.answerWith(test::answer(500, "No cluster leader"));
    const TemporaryFile other(std::string(kQuiet) + "data_dir: " + folder.path +
                              "/other\nconsul: {config: true, url: '" + consul.server().url() + "'}\n");
    Process asked({"--config", other.path});
    asked.waitFor("not ready yet");
    asked.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(0, asked.end());
  }

  void aConsulThatRefusesEndsIt() {
    test::FakeConsul consul("poller: {threads: 5}\n");
    consul.answerWith(test::answer(403, "Permission denied"));
    test::TempFolder folder;
    const TemporaryFile file(std::string(kQuiet) + "data_dir: " + folder.path + "\nconsul: {config: true, url: '" +
                             consul.server().url() + "'}\n");
    Process process({"--config", file.path});
    CPPUNIT_ASSERT_EQUAL(69, process.end());
    CPPUNIT_ASSERT_MESSAGE(process.said(),
                           process.said().find("consul.token does not allow this") != std::string::npos);
  }

  void aFaultLaterDrainsAndEndsWith1() {
    const TemporaryFile file(kQuiet);
    Process process({"--config", file.path});
    ask(process.url(), "/v1/fail", "", "POST");
    CPPUNIT_ASSERT_EQUAL(1, process.end());
    CPPUNIT_ASSERT(process.said().find("error: the disk is gone") != std::string::npos);
    CPPUNIT_ASSERT(process.said().find("sample stops") != std::string::npos);
  }

  void theServiceManagerIsTold() {
    char folder[] = "/tmp/ocelot-notify-test-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(folder));
    const std::string path = std::string(folder) + "/notify";
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    CPPUNIT_ASSERT_EQUAL(0, ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    const TemporaryFile file(kQuiet);
    Process process({"--config", file.path}, {{"NOTIFY_SOCKET", path}});
    const auto next = [&] {
      pollfd readable{fd, POLLIN, 0};
      CPPUNIT_ASSERT_EQUAL(1, ::poll(&readable, 1, 30000));
      char buffer[256];
      return std::string(buffer, static_cast<std::size_t>(::recv(fd, buffer, sizeof buffer, 0)));
    };
    CPPUNIT_ASSERT_EQUAL(std::string("READY=1"), next());
    process.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(std::string("STOPPING=1"), next());
    CPPUNIT_ASSERT_EQUAL(0, process.end());
    ::close(fd);
    ::unlink(path.c_str());
    ::rmdir(folder);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DaemonTest);
