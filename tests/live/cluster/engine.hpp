#pragma once
// A real engine on a host of its own, brought by scripts/engines.

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/live/cluster/hosts.hpp"

namespace ocelot::test {

class Engine {
 public:
  // `folder` holds the data of all engines; `options` are variables of scripts/engines.
  Engine(Host& host, std::string name, std::string folder, std::map<std::string, std::string> options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();  // what does not run, on the data that it had; returns when it answers
  // Of one process, or of all; returns when it has ended.
  void end(int signal, const std::string& process = "");
  void kill(const std::string& process = "");
  // To each of its processes, at once: SIGSTOP makes it one that takes every request and answers none.
  void signal(int signal, const std::string& process = "");
  // What it told about itself: OCELOT_TEST_….
  const std::string& value(const std::string& name) const { return values_.at(name); }
  std::string home() const { return folder_ + "/" + name_; }
  Host& host() { return host_; }

 private:
  std::string script(const std::string& action, const std::string& process = "") const;
  std::vector<pid_t> signalled(int signal, const std::string& process) const;

  Host& host_;
  const std::string name_, folder_;
  const std::map<std::string, std::string> options_;
  std::map<std::string, std::string> values_;
};

}  // namespace ocelot::test
