#include "tests/live/cluster/hosts.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "host/process/process.hpp"
#include "ocelot/host.hpp"

namespace ocelot::test {
namespace {

const std::string kNet = "10.77.0.";

int newNetwork() {
  int fd = -1;
  // A thread's network is its own once it has left the others'; what it opened keeps it.
  std::thread([&fd] {
    if (::unshare(CLONE_NEWNET) == 0) fd = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  }).join();
  if (fd < 0) throw std::runtime_error("make a network namespace: it was refused");
  return fd;
}

}  // namespace

std::string runHere(const std::vector<std::string>& command, const std::function<void()>& in_child) {
  process::Command how;
  how.program = command.front();
  how.arguments.assign(command.begin() + 1, command.end());
  how.environment = process::plainEnvironment();
  how.in_child = in_child;
  how.max_output_bytes = 256u << 20;
  SimpleCall call(std::chrono::seconds(120));
  const auto result = process::run(call, how);
  if (result.ok()) return result.out;
  std::string what;
  for (const auto& word : command) what += word + " ";
  throw std::runtime_error(what + "ended with " + std::to_string(result.exit_code) + ": " + result.out + result.err);
}

Host::Host(std::string name, int number)
    : name_(std::move(name)),
      address_(kNet + std::to_string(number)),
      port_("port" + std::to_string(number)),
      network_(newNetwork()) {
  run({"ip", "link", "set", "lo", "up"});
  run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", port_, "netns", "1"});
  run({"ip", "addr", "add", address_ + "/24", "dev", "eth0"});
  run({"ip", "link", "set", "eth0", "up"});
  runHere({"ip", "link", "set", port_, "master", "switch", "up"});
}

Host::~Host() { ::close(network_); }

std::function<void()> Host::moveIn() const {
  return [fd = network_] {
    if (::setns(fd, CLONE_NEWNET) != 0) ::_exit(126);
  };
}

std::string Host::run(const std::vector<std::string>& command) const { return runHere(command, moveIn()); }

void Host::cut() { runHere({"ip", "link", "set", port_, "down"}); }
void Host::join() { runHere({"ip", "link", "set", port_, "up"}); }

Network::Network() {
  runHere({"ip", "link", "set", "lo", "up"});
  runHere({"ip", "link", "add", "switch", "type", "bridge"});
  runHere({"ip", "addr", "add", kNet + "1/24", "dev", "switch"});
  runHere({"ip", "link", "set", "switch", "up"});
}

Host& Network::add(const std::string& name) {
  hosts_.push_back(std::make_unique<Host>(name, static_cast<int>(hosts_.size()) + 2));
  return *hosts_.back();
}

}  // namespace ocelot::test
