#pragma once
// Follows a build to its end: why it waits, its log as it comes, how it ended.

#include <string>

#include "components/cli/server.hpp"

namespace ocelot::cli {

// Writes log bytes to stdout: as they are into a pipe or file, safe and coloured on a terminal.
class LogPrinter {
 public:
  explicit LogPrinter(bool raw);
  ~LogPrinter();
  void print(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Ctrl-C leaves the build alone and says how to come back. Returns the exit status that fits the build's end.
int followBuild(Server& server, const std::string& build_id);

}  // namespace ocelot::cli
