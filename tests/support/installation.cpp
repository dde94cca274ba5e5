#include "tests/support/installation.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/model/build.hpp"
#include "host/process/process.hpp"
#include "host/store/store.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// The kernel gives a port that nobody has.
int freePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  const bool good = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  if (!good) throw std::runtime_error("find a free port");
  return ntohs(address.sin_port);
}

bool onPath(const std::string& program) {
  std::istringstream folders("/usr/local/sbin:/usr/sbin:/sbin:" +
                             std::string(std::getenv("PATH") ? std::getenv("PATH") : ""));
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace

void Installation::need() {
  if (::geteuid() != 0) skip("containers with limits and users need root");
  if (!onPath("crun") && !onPath("runc")) skip("neither crun nor runc is installed (apt install crun)");
  if (!onPath("busybox")) skip("the image is made of busybox (apt install busybox-static)");
  if (!onPath("git")) skip("git is not installed");
}

Installation::Installation(InstallationOptions options)
    : options_(std::move(options)), data_dir_(options_.data_dir.empty() ? folder_.path + "/data" : options_.data_dir) {
  need();
  for (const std::string folder : {"home", "run", "repos", "log"}) fs::create_directories(folder_.path + "/" + folder);
  fs::create_directories(data_dir_);
  for (const std::string daemon : {"admin", "worker", "worker2", "hookhandler", "poller"}) ports_[daemon] = freePort();
  writeSettings();
  start("admin");
  makeToken();
  const std::string rootfs = folder_.path + "/rootfs";
  makeBusybox(rootfs);
  importImage(rootfs, "ocelot.local/busybox");
  start("worker");
  if (options_.hookhandler) start("hookhandler");
  if (options_.poller) start("poller");
}

void Installation::makeBusybox(const std::string& rootfs) {
  shell(
      "set -e; mkdir -p " + rootfs + "/bin " + rootfs + "/etc " + rootfs + "/root " + rootfs + "/tmp; chmod 1777 " +
      rootfs + "/tmp; cp \"$(command -v busybox)\" " + rootfs + "/bin/busybox; cd " + rootfs +
      "/bin; for name in $(./busybox --list); do [ $name = busybox ] || ln -s busybox $name; done; cd ../etc; printf "
      "'root:x:0:0::/root:/bin/sh\\nnobody:x:65534:65534::/:/bin/sh\\nbuilder:x:1000:1000::/home/builder:/bin/sh\\n' > "
      "passwd; printf 'root:x:0:\\nbuilder:x:1000:\\n' > group");
}

Installation::~Installation() { endEverything(); }

void Installation::writeSettings() const {
  std::ofstream file(folder_.path + "/server.yaml", std::ios::trunc);
  file << "data_dir: " << data_dir_ << "\nrun_dir: " << runDir() << "\nplugins:\n  runtimes: " << options_.runtimes
       << "\n";
  for (const auto& [daemon, port] : ports_) {
    if (daemon == "worker2") continue;
    file << daemon << ":\n  listen: 127.0.0.1:" << port << "\n";
    if (daemon == "worker")
      file << "  admin_url: " << url("admin") << "\n  local_repos: [" << folder_.path
           << "/repos]\n  network: none\n  slots: 2\n  min_free_disk: 1MiB\n";
    if (daemon == "poller") file << "  min_interval: 1s\n";
  }
}

void Installation::configure(std::vector<std::string> set, const std::string& runtimes) {
  options_.set = std::move(set);
  options_.runtimes = runtimes;
  writeSettings();
}

void Installation::makeToken() {
  token_ = "oct_" + model::newClaimId() + model::newClaimId();
  store::StoreSettings settings;
  settings.path = data_dir_ + "/store";
  const auto opened = store::open(settings);
  store::Token token;
  token.id = "test";
  token.name = "test";
  token.role = "admin";
  token.created_at = opened->now();
  token.sha256_hex = sha256Hex(token_);
  opened->addToken(token);
}

std::string Installation::program(const std::string& name) {
  const char* elsewhere = std::getenv("OCELOT_TEST_PROGRAMS");
  return std::string(elsewhere && *elsewhere ? elsewhere : OCELOT_PROGRAMS) + "/" + name;
}

std::string Installation::url(const std::string& daemon) const {
  return "http://127.0.0.1:" + std::to_string(ports_.at(daemon));
}

std::string Installation::log(const std::string& daemon) const { return readFile(folder_.path + "/log/" + daemon); }

std::string Installation::run(const std::vector<std::string>& command, const std::string& directory) const {
  process::Command how;
  how.program = command.front();
  how.arguments.assign(command.begin() + 1, command.end());
  how.environment = process::plainEnvironment();
  how.environment["HOME"] = folder_.path + "/home";
  how.environment["OCELOT_URL"] = url("admin");
  how.environment["OCELOT_TOKEN"] = token_;
  how.directory = directory;
  how.max_output_bytes = 256u << 20;
  SimpleCall call(seconds(120));
  const auto result = process::run(call, how);
  if (!result.ok())
    throw std::runtime_error(command.front() + " ended with " + std::to_string(result.exit_code) + ": " + result.out +
                             result.err);
  return result.out;
}

void Installation::importImage(const std::string& source, const std::string& name) {
  run({program("ocelot"), "image", "import", source, name, "--config", folder_.path + "/server.yaml"});
}

void Installation::start(const std::string& daemon) {
  const int log = ::open((folder_.path + "/log/" + daemon).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  process::Child::Start how;
  how.program = program(daemon == "worker2" ? "ocelot-worker" : "ocelot-" + daemon);
  how.arguments = {"--config", folder_.path + "/server.yaml"};
  std::vector<std::string> set = options_.set;
  if (daemon == "worker2")
    for (const std::string& pair :
         {"data_dir=" + folder_.path + "/data2", "run_dir=" + folder_.path + "/run2",
          "store.path=" + data_dir_ + "/store", "secrets.key_file=" + data_dir_ + "/secret.key",
          "worker.listen=127.0.0.1:" + std::to_string(ports_.at("worker2"))})
      set.push_back(pair);
  for (const auto& pair : set) how.arguments.insert(how.arguments.end(), {"--set", pair});
  how.environment = process::plainEnvironment();
  how.environment["HOME"] = folder_.path + "/home";
  how.out = how.err = log;
  how.in_child = [] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); };  // a test that dies leaves no daemons
  process::Child& child = daemons_.insert_or_assign(daemon, process::Child::start(how)).first->second;
  ::close(log);
  await("ocelot-" + daemon + " answers", [&] {
    if (child.tryWait()) throw std::runtime_error("ocelot-" + daemon + " ended at once:\n" + this->log(daemon));
    try {
      return ask("GET", "/healthz", "", {}, daemon).status == 200;
    } catch (const Error&) {
      return false;
    }
  });
}

pid_t Installation::pid(const std::string& daemon) const { return daemons_.at(daemon).pid(); }

void Installation::signal(const std::string& daemon, int number) { ::kill(pid(daemon), number); }

void Installation::kill(const std::string& daemon, int number) {
  process::Child& child = daemons_.at(daemon);
  ::kill(child.pid(), number);
  if (number != SIGKILL)
    await("ocelot-" + daemon + " ends", [&] { return child.tryWait().has_value(); });
  else
    child.wait();
  daemons_.erase(daemon);
}

}  // namespace ocelot::test
