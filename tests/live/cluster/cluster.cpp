#include "tests/live/cluster/cluster.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "host/http/client.hpp"
#include "host/process/process.hpp"
#include "tests/live/cluster/world.hpp"
#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

int portOf(const std::string& kind) {
  if (kind == "admin") return 7700;
  if (kind == "worker") return 7701;
  return kind == "hookhandler" ? 7702 : 7703;
}

}  // namespace

Cluster::Cluster(Form form, const std::vector<std::pair<std::string, std::string>>& placed) : form_(form) {
  fs::permissions(folder_.path, fs::perms(0755));  // PostgreSQL runs as another user
  const auto engine = [&](const std::string& name, std::map<std::string, std::string> options = {}) {
    engines_[name] = std::make_unique<Engine>(network_.add(name), name, folder_.path + "/engines", std::move(options));
  };
  engine("postgres");
  if (form == Form::engines) {
    // What nsqd gives a consumer for one message is less than many a build here takes.
    engine("nsq", {{"OCELOT_ENGINE_NSQD_OPTIONS", "-max-msg-timeout=10s -msg-timeout=10s"}});
    engine("consul");
    engine("vault");
    setUpConsul();
    setUpVault();
  }
  note("engines answer");
  for (const auto& [daemon, host] : placed) {
    if (!hosts_.count(host)) hosts_[host] = &network_.add(host);
    order_.push_back(daemon);
    host_of_[daemon] = hosts_.at(host);
    for (const std::string part : {"/data", "/run", "/home"}) fs::create_directories(place(daemon) + part);
  }
  for (const auto& daemon : order_) writeSettings(daemon);
  fs::create_directories(folder_.path + "/repos");

  start("admin-1");  // as the owner of the tables, which it makes
  makeToken();
  kill("admin-1", SIGTERM);
  setUpRoles();
  watchEnds();
  Installation::makeBusybox(folder_.path + "/rootfs");
  for (const auto& admin : daemons("admin")) start(admin);
  for (const auto& worker : daemons("worker"))
    runHere({Installation::program("ocelot"), "image", "import", folder_.path + "/rootfs", "ocelot.local/busybox",
             "--config", place(worker) + "/server.yaml"});
  for (const auto& daemon : order_)
    if (!running_.count(daemon)) launch(daemon);
  for (const auto& daemon : order_) awaitAnswer(daemon);
  awaitWell();
  note("every daemon is well");
}

Cluster::~Cluster() {
  for (auto& [name, host] : hosts_) host->join();
  for (auto& [name, daemon] : running_) {
    ::kill(daemon.pid(), SIGKILL);
    daemon.wait();
  }
  // What the daemons have left ends with the test's world.
}

std::vector<std::string> Cluster::daemons(const std::string& kind) const {
  std::vector<std::string> out;
  for (const auto& daemon : order_)
    if (kind.empty() || kindOf(daemon) == kind) out.push_back(daemon);
  return out;
}

void Cluster::launch(const std::string& daemon) {
  process::Child::Start how;
  how.program = Installation::program("ocelot-" + kindOf(daemon));
  how.arguments = {"--config", place(daemon) + "/server.yaml"};
  how.environment = process::plainEnvironment();
  how.environment["HOME"] = place(daemon) + "/home";
  how.environment["OCELOT_STORE__PASSWORD_FILE"] = place(daemon) + "/password";
  const int log = ::open((place(daemon) + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  how.out = how.err = log;
  how.in_child = hostOf(daemon).moveIn();
  running_.insert_or_assign(daemon, process::Child::start(how));
  ::close(log);
}

void Cluster::awaitAnswer(const std::string& daemon) {
  await(daemon + " answers", [&] {
    if (running_.at(daemon).tryWait()) throw std::runtime_error(daemon + " ended at once:\n" + log(daemon));
    try {
      return to(url(daemon), "GET", "/healthz").status == 200;
    } catch (const Error&) {
      return false;
    }
  });
}

void Cluster::start(const std::string& daemon) {
  launch(daemon);
  awaitAnswer(daemon);
}

void Cluster::signal(const std::string& daemon, int number) { ::kill(running_.at(daemon).pid(), number); }

int Cluster::kill(const std::string& daemon, int number) {
  signal(daemon, number);
  return awaitEndOf(daemon, seconds(60));
}

int Cluster::awaitEndOf(const std::string& daemon, seconds limit) {
  std::optional<int> status;
  await(
      daemon + " ends", [&] { return (status = running_.at(daemon).tryWait()).has_value(); }, limit);
  running_.erase(daemon);
  return *status;
}

std::string Cluster::url(const std::string& daemon) const {
  const auto admins = daemons("admin");
  const std::string which = daemon == "admin" ? admins[turn_++ % admins.size()] : daemon;
  return "http://" + host_of_.at(which)->address() + ":" + std::to_string(portOf(kindOf(which)));
}

std::string Cluster::log(const std::string& daemon) const { return readFile(place(daemon) + "/log"); }

bool Cluster::saysReady(const std::string& daemon) {
  try {
    return to(url(daemon), "GET", "/readyz").status == 200;
  } catch (const Error&) {
    return false;
  }
}

bool Cluster::saysDown(const std::string& daemon, const std::string& what) {
  try {
    const auto answer = to(url(daemon), "GET", "/readyz");
    return answer.status == 503 && answer.body.find("\"name\":\"" + what + "\"") != std::string::npos;
  } catch (const Error&) {
    return false;
  }
}

void Cluster::awaitWell(seconds limit) {
  for (const auto& daemon : order_) {
    try {
      await(
          daemon + " is well", [&] { return saysReady(daemon); }, limit);
    } catch (const std::runtime_error& error) {
      const std::string tail = log(daemon);
      throw std::runtime_error(std::string(error.what()) + "\n" + to(url(daemon), "GET", "/readyz").body + "\n" +
                               tail.substr(tail.size() > 3000 ? tail.size() - 3000 : 0));
    }
  }
}

std::string Cluster::workerId(const std::string& worker) const {
  const std::string id = readFile(place(worker) + "/data/worker-id");
  return id.substr(0, id.find('\n'));
}

void Cluster::keepEvidence() {
  const char* into = std::getenv("OCELOT_TEST_KEEP");
  if (!into) return;
  const std::string folder = into;
  fs::create_directories(folder);
  for (const auto& daemon : order_)
    runHere({"sh", "-c", "cp -a --parents \"$0/log\" \"$0/server.yaml\" \"$0/run\" \"$0/data\" \"$1\" || :",
             place(daemon), folder});
  std::ofstream(folder + "/store.sql") << dump();
  note("the evidence is in " + folder);
}

}  // namespace ocelot::test
