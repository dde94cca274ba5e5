#pragma once
// Follows a build to its end: why it waits, its log as it comes, how it ended.

#include <memory>
#include <string>
#include <string_view>

#include "components/cli/server.hpp"

namespace ocelot::cli {

// Writes log bytes: as they are into a pipe or file, safe and coloured on a terminal.
class LogPrinter {
 public:
  explicit LogPrinter(bool raw, int fd = 1);
  ~LogPrinter();
  bool print(std::string_view bytes);  // false: whoever read it is gone

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Ctrl-C leaves the build alone and says how to come back. With `json` the log goes to stderr and the build, as it
// ended, to stdout. Returns the exit status that fits the build's end.
int followBuild(Server& server, const std::string& build_id, bool json);

}  // namespace ocelot::cli
