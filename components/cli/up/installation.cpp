#include "components/cli/up/installation.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

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

// Each data folder has a run folder of its own, so that two installations on one machine do not meet.
std::string defaultRun(const std::string& data_dir) {
  const std::string base =
      isRoot() ? "/run" : environment("XDG_RUNTIME_DIR", "/tmp/ocelot-" + std::to_string(::getuid()));
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

std::string Installation::findProgram(const std::string& name) const {
  if (name == "ocelot-guest" && config.has("worker.guest"))
    return fs::exists(config.text("worker.guest")) ? config.text("worker.guest") : "";
  for (const fs::path& place : {fs::path(programs) / name, fs::path(programs) / "../lib/ocelot" / name})
    if (fs::exists(place)) return fs::canonical(place);
  return "";
}

Installation installationFor(const Arguments& arguments) {
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
  const config::Config as_written = config::load(out.config_file, config::processEnvironment(), out.overrides);
  if (as_written.where("data_dir") == "default" || arguments.has("data")) out.overrides.push_back("data_dir=" + data);
  if (as_written.where("run_dir") == "default") out.overrides.push_back("run_dir=" + defaultRun(data));
  out.config = config::load(out.config_file, config::processEnvironment(), out.overrides);
  out.data_dir = out.config.text("data_dir");
  out.run_dir = out.config.text("run_dir");
  out.programs = fs::read_symlink("/proc/self/exe").parent_path();
  return out;
}

}  // namespace ocelot::cli
