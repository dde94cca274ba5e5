#pragma once
// Runs a program of the machine (crun, skopeo, a CNI plugin, iptables) and waits for it: own process group, an
// environment of its own, no inherited descriptor, signals as a fresh process expects them.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot::oci {

struct Tool {
  std::string program;  // absolute
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // the whole of it
  std::string input;                               // what it reads on stdin
  bool quiet = false;                              // stdout and stderr are /dev/null: for what leaves a process behind
  // Between vfork and exec, in this process' memory: calls to the kernel, and nothing else.
  std::function<void()> in_child;
  std::function<void()> waiting;  // called about five times a second while it runs
  // fork instead of vfork: a new user namespace is for whoever shares its memory with nobody.
  bool own_memory = false;
};

struct ToolResult {
  int exit_code = -1;  // -1: killed by a signal
  std::string out, err;
  bool ok() const { return exit_code == 0; }
};

// Throws Error: not_found (no such program), cancelled (its group is killed first).
ToolResult runTool(Call& call, const Tool& tool);

// The first executable of this name on the usual system paths, sbin included; "" when there is none.
std::string findProgram(const std::string& name);

// PATH, LANG and nothing of the daemon's, except for the proxy variables, which tools that fetch need.
std::map<std::string, std::string> toolEnvironment();

// One line for an error message: the last lines of what a program said, without control characters.
std::string lastWords(const ToolResult& result);

}  // namespace ocelot::oci
