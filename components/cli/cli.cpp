// ocelot: the command line.

#include <signal.h>

#include <string>
#include <vector>

#include "components/cli/command.hpp"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  return ocelot::cli::runCommandLine(std::vector<std::string>(argv + 1, argv + argc));
}
