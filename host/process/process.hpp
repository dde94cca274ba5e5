#pragma once
// Runs a program and waits for it: own process group, clean environment, no inherited descriptors, signal mask reset,
// TERM then KILL of the whole group when time is up. Built on Boost.Process, whose header stays out of this one.
//
// [any] thread; no signal handler is installed.

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot::process {

struct Command {
  std::string program;  // with a slash: as it is; without: searched on PATH
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;         // the whole of it; nothing is inherited
  std::string directory;                                  // "" : /
  std::string input;                                      // given on stdin
  std::chrono::milliseconds grace{5000};                  // between TERM and KILL
  std::size_t max_output_bytes = 16u << 20;               // of stdout and of stderr each; more is read and dropped
  std::function<void(std::string_view)> on_error_output;  // stderr as it comes, on the calling thread
  std::function<void()> in_child;  // runs between fork and exec, async-signal-safe work only; throwing ends the child
};

struct Result {
  int exit_code = -1;  // -1 when killed by a signal
  int signal = 0;
  bool out_truncated = false;
  std::string out, err;
  bool ok() const { return exit_code == 0; }
};

// Runs to the end. Throws Error: not_found (no such program), cancelled (the call was cancelled or its deadline passed;
// the group is killed first), internal (fork failed).
Result run(Call& call, const Command& command);

// The environment a tool of ours may see: PATH, HOME, LANG=C.UTF-8, TMPDIR; nothing else of the daemon's.
std::map<std::string, std::string> plainEnvironment();

}  // namespace ocelot::process
