#pragma once
// A build as people read it: its state, its stages, and what to look at when it is red.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "components/cli/server.hpp"

namespace ocelot::cli {

std::string shortCommit(const std::string& commit);
// "#12 acme/app main 3f2a1c9".
std::string titleOf(const Json& build);  // without the number when it has none
// Everything that `ocelot status` says.
std::string describe(const Json& build);
// How many lines of a broken stage its ending shows.
inline constexpr int kLastLines = 20;

// What an ending needs beside the build.
struct Afterwards {
  std::function<std::string(std::int64_t stage)> last_lines;    // bytes as the log has them
  std::vector<std::pair<std::string, std::string>> next_steps;  // "whole log" → "ocelot logs 12"
};
// The end of a followed build: one line when it passed; else stage, command, exit code, ocelot.yml:LINE, the last lines
// of that stage and how to go on. `fd`: where it is written, for the colours.
std::string ending(const Json& build, const Afterwards& afterwards, int fd);
// The same, of a build that the server has.
std::string ending(Server& server, const Json& build, int fd);
int exitStatusOf(const std::string& state);

}  // namespace ocelot::cli
