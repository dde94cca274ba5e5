#pragma once
// From what a repo asks for and what happened to what the guest is to do.
//
// Text from outside (branch, author, message) reaches a build only as the value of a variable, byte for byte; it is
// never put into script text.

#include <string>

#include "host/journal/plan.hpp"
#include "host/model/build.hpp"
#include "host/pipeline/pipeline.hpp"
#include "ocelot/runtime.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::pipeline {

struct PlanSettings {
  std::int64_t default_timeout_ms = 3600000;  // for a pipeline without `timeout`
  std::int64_t grace_ms = 10000;
  std::string working_dir = "/workspace";
  std::string previous_passed_commit;  // of the same branch; GIT_PREVIOUS_SUCCESSFUL_COMMIT when not empty
};

// Environment, later wins: image < Ocelot's own (CI, OCELOT_…, GIT_HASH and its kin) < pipeline < stage.
// Stages whose triggers do not hold are skipped with the reason.
journal::Plan planFor(const Pipeline& pipeline, const model::Build& build, const Change& change, const Image& image,
                      const PlanSettings& settings = {});

}  // namespace ocelot::pipeline
