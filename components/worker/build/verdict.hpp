#pragma once
// How a build ended, from what the guest said, what the runtime saw, and what was asked of them. The guest's word is
// checked against the rest: it comes from inside the container.

#include <optional>
#include <string>
#include <vector>

#include "host/journal/frame.hpp"
#include "host/model/build.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::worker {

struct Verdict {
  model::Outcome outcome;
  bool retry = false;  // the environment's fault: another worker or another minute may mend it
};

struct Evidence {
  std::optional<journal::Frame> finished;  // the guest's last frame
  std::optional<Exit> exit;                // the container's end; nullopt: it still runs
  bool asked_cancel = false;               // we sent TERM
  bool overdue = false;                    // we killed it because it outlived its time-out
  std::int64_t timeout_ms = 0;
  std::int64_t asked_timeout_ms = 0;  // by ocelot.yml, where the worker gave less
  std::uint64_t memory_bytes = 0;
};

Verdict judge(const Evidence& evidence, const std::vector<model::Stage>& stages);

// "1.5 s", "12 min", "512 MiB": for sentences.
std::string spoken(std::int64_t milliseconds);
std::string spokenBytes(std::uint64_t bytes);

}  // namespace ocelot::worker
