#pragma once
// Starts a stage's shell: own session and process group, its user, its environment and nothing else of the guest's.

#include <sys/types.h>

#include <string>

#include "components/guest/fd.hpp"
#include "components/guest/user.hpp"
#include "host/journal/plan.hpp"

namespace ocelot::guest {

struct Launch {
  std::string shell, script, working_dir;
  User user;
  journal::Environment env;  // a later entry replaces an earlier one of the same name
};

struct Launched {
  pid_t pid = -1;
  Fd out, err;          // read ends, non-blocking
  std::string failure;  // why there is no process; "" when there is
  bool ours = false;    // the failure is the guest's or the machine's, not the image's
};

Launched launch(const Launch& what);

// `sh -e -c -- SCRIPT`. The kernel takes at most 128 KiB in one argument; a longer script goes in pieces, which the
// shell puts together again and evals. Nothing is written anywhere and no /proc or /dev/fd is needed, the stage keeps
// its stdin, and no descriptor stays open in it; what limits a script is what an exec takes in all (2 MiB with the
// usual stack).
std::vector<std::string> shellArguments(const std::string& shell, const std::string& script);

}  // namespace ocelot::guest
