#include "components/cli/up/installation.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "components/cli/up/service_environment.hpp"
#include "host/process/installed.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value && *value ? value : fallback;
}

bool isRoot() { return ::geteuid() == 0; }

std::string defaultData() {
  if (isRoot()) return "/var/lib/ocelot";
  return environment("XDG_DATA_HOME", environment("HOME", "/tmp") + "/.local/share") + "/ocelot";
}

// admin on the port, and the others on the ports after it, each at the address that it has anyway.
void setPorts(const config::Config& config, std::int64_t first, std::vector<std::string>& overrides) {
  if (first > 65532) throw Usage("--port wants a number of at most 65532: the three ports after it are used too");
  for (const char* daemon : {"admin", "worker", "hookhandler", "poller"}) {
    const std::string listen = config.text(std::string(daemon) + ".listen");
    const std::string address = listen.substr(0, listen.rfind(':')) + ":" + std::to_string(first++);
    overrides.push_back(std::string(daemon) + ".listen=" + address);
    if (std::string(daemon) == "admin")
      overrides.push_back("worker.admin_url=" + std::string(config.has("tls.certificate") ? "https://" : "http://") +
                          fromHere(address));
  }
}

// Secrets and what builds print before it is masked belong in memory. /run is there, but in many a container, and on
// machines that no systemd started.
std::string memoryFolder() {
  constexpr std::uint64_t kEnough = 1u << 30;  // journals of some builds; the 64 MiB of a Docker container are not
  struct statfs run {
  }, shm{};
  if (::statfs("/run", &run) == 0 && run.f_type == TMPFS_MAGIC) return "/run";
  if (::statfs("/dev/shm", &shm) == 0 && shm.f_type == TMPFS_MAGIC &&
      static_cast<std::uint64_t>(shm.f_blocks) * static_cast<std::uint64_t>(shm.f_bsize) >= kEnough)
    return "/dev/shm";
  return "/run";
}

// Each data folder has a run folder of its own, so that two installations on one machine do not meet.
std::string defaultRun(const std::string& data_dir) {
  const std::string base =
      isRoot() ? memoryFolder() : environment("XDG_RUNTIME_DIR", "/tmp/ocelot-" + std::to_string(::getuid()));
  if (data_dir == defaultData()) return base + "/ocelot";
  return base + "/ocelot-" + std::to_string(std::hash<std::string>{}(data_dir) % 1000000000);
}

}  // namespace

const std::vector<Option>& installationOptions() {
  static const std::vector<Option> options{
      {"--data", "DIR", "where this installation keeps everything"},
      {"--config", "FILE", "its server.yaml; default: DIR/server.yaml, else /etc/ocelot/server.yaml"},
      {"--set", "KEY=VALUE", "a configuration key, over the file's; may be given more than once"}};
  return options;
}

std::vector<std::string> Installation::daemonFlags() const {
  std::vector<std::string> flags;
  if (!config_file.empty()) flags.insert(flags.end(), {"--config", config_file});
  for (const auto& pair : overrides) flags.insert(flags.end(), {"--set", pair});
  return flags;
}

std::string fromHere(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  const std::string host = listen.substr(0, colon);
  if (colon == std::string::npos || (host != "0.0.0.0" && host != "[::]")) return listen;
  return (host == "[::]" ? "[::1]" : "127.0.0.1") + listen.substr(colon);
}

void Installation::makeFolders() const {
  for (const auto& folder : {data_dir, run_dir}) {
    fs::create_directories(folder);
    // Where everybody may make folders, somebody may have been first.
    struct stat status {};
    if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid())
      throw std::runtime_error(
          folder + " belongs to user " + std::to_string(status.st_uid) +
          " or is a link: it must be a folder of the user that runs this; remove it, or name another");
    fs::permissions(folder, fs::perms::owner_all);
  }
}

std::string Installation::findProgram(const std::string& name) const {
  if (name == "ocelot-guest" && config.has("worker.guest"))
    return fs::exists(config.text("worker.guest")) ? config.text("worker.guest") : "";
  return process::installedProgram(programs, name);
}

Installation installationFor(const Arguments& arguments, VariablesOf whose) {
  Installation out;
  const std::string data =
      fs::absolute(arguments.text("data", environment("OCELOT_DATA_DIR", defaultData()))).lexically_normal();
  out.config_file = arguments.text("config");
  if (out.config_file.empty())
    for (const std::string& usual : {data + "/server.yaml", std::string("/etc/ocelot/server.yaml")})
      if (out.config_file.empty() && fs::exists(usual)) out.config_file = usual;
  if (!out.config_file.empty()) out.config_file = fs::absolute(out.config_file);
  out.overrides = arguments.all("set");
  // A file that names its own folders keeps them, unless the command line says otherwise.
  const Variables variables =
      whose == VariablesOf::services ? variablesFor(out.config_file) : config::processEnvironment();
  const config::Config as_written = config::load(out.config_file, variables, out.overrides);
  if (as_written.where("data_dir") == "default" || arguments.has("data")) out.overrides.push_back("data_dir=" + data);
  if (as_written.where("run_dir") == "default") out.overrides.push_back("run_dir=" + defaultRun(data));
  if (arguments.has("port")) setPorts(as_written, arguments.number("port", 0, 1), out.overrides);
  out.config = config::load(out.config_file, variables, out.overrides);
  out.data_dir = out.config.text("data_dir");
  out.run_dir = out.config.text("run_dir");
  out.programs = fs::read_symlink("/proc/self/exe").parent_path();
  return out;
}

}  // namespace ocelot::cli
