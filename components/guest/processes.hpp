#pragma once
// The processes of the container, as /proc shows them, and their end.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

namespace ocelot::guest {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  std::uint64_t started = 0;  // with the pid, tells a process from a later one of the same number
};

// By pid. Empty where there is no /proc, or one of another process namespace.
using Processes = std::map<pid_t, Process>;
Processes listProcesses();

bool descendsFrom(pid_t pid, pid_t ancestor);

// Kills what belongs to a stage: the process group `leader`, and whatever else descends from the guest without being,
// or descending from, one of `earlier`: processes that left their session have only that in common.
void killStage(pid_t leader, const Processes& earlier);

// Kills all there is but the guest: as process 1 everything in the container, otherwise (in tests) its descendants.
void killEverything();

}  // namespace ocelot::guest
