#pragma once
// What an ocelot.yml asks for, held against what a worker gives. A pure function: asked before anything of the build is
// made, and again, with the same answer, by a build process that takes a build up again.

#include <cstdint>
#include <string>

#include "host/pipeline/pipeline.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::pipeline {

// A worker's side. What a file does not name is `resources` and `timeout_ms`; what it names may be at most as much.
struct Ceiling {
  Limits resources;                 // 0: no limit
  std::int64_t timeout_ms = 0;      // of a build whose file names none
  std::int64_t max_timeout_ms = 0;  // 0: no limit
  std::string network = "bridge";   // what builds get; only `none` may be asked for instead
};

struct Grant {
  Limits resources;
  std::int64_t timeout_ms = 0;
  std::string network;
  std::string note;  // what is less than was asked for, for the build's log; "" : nothing
  // Why this build cannot run here: what is asked for, what there is, and the worker's key that says so. "" : it can.
  std::string refusal;
};

// More memory, cores or processes than there are is refused: a build would fail in ways that nobody connects with it.
// A longer timeout is cut, and told: most builds that ask for hours end in minutes.
Grant grant(const Pipeline& pipeline, const Ceiling& ceiling);

}  // namespace ocelot::pipeline
