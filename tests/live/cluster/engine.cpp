#include "tests/live/cluster/engine.hpp"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/process/process.hpp"
#include "ocelot/host.hpp"
#include "tests/support/installation.hpp"

namespace ocelot::test {

namespace fs = std::filesystem;

Engine::Engine(Host& host, std::string name, std::string folder, std::map<std::string, std::string> options)
    : host_(host), name_(std::move(name)), folder_(std::move(folder)), options_(std::move(options)) {
  start();
}

Engine::~Engine() {
  try {
    host_.join();  // it may have been cut off by a fault that failed
    script("stop");
  } catch (const std::exception&) {
    // It ends with the test's world.
  }
}

std::string Engine::script(const std::string& action, const std::string& process) const {
  process::Command how;
  how.program = OCELOT_SOURCE "/scripts/engines";
  how.arguments = {action, name_, folder_};
  if (!process.empty()) how.arguments.push_back(process);
  how.environment = process::plainEnvironment();
  how.environment["OCELOT_ENGINE_ADDRESS"] = host_.address();
  for (const char* kept : {"PATH", "OCELOT_ENGINES_CACHE", "XDG_CACHE_HOME"})
    if (const char* value = std::getenv(kept)) how.environment[kept] = value;
  for (const auto& [variable, value] : options_) how.environment[variable] = value;
  how.in_child = host_.moveIn();
  SimpleCall call(std::chrono::seconds(120));
  const auto result = process::run(call, how);
  if (!result.ok()) throw std::runtime_error("engines " + action + " " + name_ + ": " + result.out + result.err);
  return result.out;
}

void Engine::start() {
  // NAME=value, quoted for a shell; a shell tells what they mean.
  const std::string lines = script("start");
  std::istringstream names(lines);
  for (std::string line; std::getline(names, line);) {
    const std::string name = line.substr(0, line.find('='));
    values_[name] = runHere({"bash", "-c", lines + "printf %s \"${!0}\"", name});
  }
}

void Engine::kill(const std::string& process) { script("kill", process); }

std::vector<pid_t> Engine::signalled(int signal, const std::string& process) const {
  std::vector<pid_t> out;
  for (const auto& entry : fs::directory_iterator(home())) {
    if (entry.path().extension() != ".pid") continue;
    if (!process.empty() && entry.path().stem() != process) continue;
    pid_t pid = 0;
    std::ifstream(entry.path()) >> pid;
    if (pid > 1 && ::kill(pid, signal) == 0) out.push_back(pid);
  }
  return out;
}

void Engine::signal(int signal, const std::string& process) { signalled(signal, process); }

void Engine::end(int signal, const std::string& process) {
  for (const pid_t pid : signalled(signal, process))
    await(
        name_ + " ends", [pid] { return ::kill(pid, 0) != 0; }, std::chrono::seconds(30));
}

}  // namespace ocelot::test
