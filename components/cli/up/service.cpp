#include "components/cli/up/service.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "host/builddir/directory.hpp"

namespace ocelot::cli {
namespace {

constexpr const char* kUnit = "ocelot.service";

bool isRoot() { return ::geteuid() == 0; }

std::string unitFile() {
  if (isRoot()) return std::string("/etc/systemd/system/") + kUnit;
  const char* home = std::getenv("HOME");
  return std::string(home ? home : "/tmp") + "/.config/systemd/user/" + kUnit;
}

// KillMode=process: builds outlive a restart of the service, and the next worker takes them up again.
std::string unitText(const Installation& installation) {
  std::string flags;
  for (const auto& flag : installation.daemonFlags()) flags += " " + flag;
  return "[Unit]\nDescription=Ocelot continuous "
         "integration\nAfter=network-online.target\nWants=network-online.target\n\n"
         "[Service]\nExecStart=" +
         installation.programs + "/ocelot up" + flags +
         "\nRestart=on-failure\nKillMode=process\nDelegate=yes\nTimeoutStopSec=infinity\n"
         "RestartPreventExitStatus=2\n\n[Install]\nWantedBy=" +
         (isRoot() ? "multi-user.target" : "default.target") + "\n";
}

}  // namespace

bool runsSystemd() { return std::filesystem::exists("/run/systemd/system"); }

process::Result systemctl(std::vector<std::string> arguments) {
  process::Command command;
  command.program = "systemctl";
  if (!isRoot()) arguments.insert(arguments.begin(), "--user");
  command.arguments = std::move(arguments);
  command.environment = process::plainEnvironment();
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) command.environment["XDG_RUNTIME_DIR"] = runtime;
  SimpleCall call(std::chrono::minutes(10));
  process::Result result = process::run(call, command);
  while (!result.err.empty() && result.err.back() == '\n') result.err.pop_back();  // it becomes part of a sentence
  return result;
}

int installService(const Installation& installation) {
  if (!runsSystemd())
    throw Failure("this machine does not run systemd", "`ocelot up` in the foreground works under any supervisor");
  std::filesystem::create_directories(std::filesystem::path(unitFile()).parent_path());
  builddir::replaceFile(unitFile(), unitText(installation), 0644);
  for (const auto& step : {std::vector<std::string>{"daemon-reload"}, {"enable", "--now", kUnit}}) {
    const auto result = systemctl(step);
    if (!result.ok()) throw Failure("systemctl " + step[0] + ": " + result.err, "the unit is " + unitFile());
  }
  std::cerr << "installed and started: " << unitFile()
            << "\n  journalctl -u ocelot   its log\n  ocelot down            stops it\n";
  return kPassed;
}

bool stopService() {
  if (!runsSystemd() || !std::filesystem::exists(unitFile())) return false;
  if (!systemctl({"is-active", "--quiet", kUnit}).ok()) return false;
  const auto result = systemctl({"stop", kUnit});
  if (!result.ok())
    throw Failure("systemctl stop " + std::string(kUnit) + ": " + result.err, "journalctl -u ocelot says more");
  std::cerr << "stopped\n";
  return true;
}

}  // namespace ocelot::cli
