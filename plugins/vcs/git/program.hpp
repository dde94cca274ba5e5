#pragma once
// Runs a program to its end: own process group, given environment, no descriptor of ours but the three.

#include <map>
#include <string>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot::vcs_git {

struct Program {
  std::vector<std::string> command;  // searched on PATH
  std::map<std::string, std::string> environment;
  std::size_t max_output_bytes = 4u << 20;  // more is read and dropped
};

struct Ended {
  int exit_code = -1;  // -1: killed by a signal
  bool truncated = false;
  std::string out, err;
};

// Throws Error: cancelled (the group is killed), internal (it could not be started).
Ended runProgram(Call& call, const Program& program);

}  // namespace ocelot::vcs_git
