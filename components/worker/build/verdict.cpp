#include "components/worker/build/verdict.hpp"

#include <cstdio>

namespace ocelot::worker {
namespace {

using journal::Ending;
using model::BuildState;
using model::StageState;

Verdict verdict(BuildState state, std::string reason, std::string sentence, bool retry = false) {
  return {{state, std::move(reason), std::move(sentence)}, retry};
}

const model::Stage* firstIn(const std::vector<model::Stage>& stages, StageState state) {
  for (const auto& stage : stages)
    if (stage.state == state) return &stage;
  return nullptr;
}

std::string where(const model::Stage& stage) {
  return stage.line > 0 ? " (ocelot.yml:" + std::to_string(stage.line) + ")" : "";
}

Verdict failed(const std::vector<model::Stage>& stages, const Evidence& evidence) {
  const model::Stage* stage = firstIn(stages, StageState::failed);
  if (!stage) return verdict(BuildState::error, "tampered", "the guest says a stage failed, and no stage did");
  const std::string who = "stage `" + stage->name + "`" + where(*stage);
  if (evidence.finished->out_of_memory || stage->sentence.find("out of memory") != std::string::npos)
    return verdict(BuildState::failed, "out_of_memory",
                   who + " ran out of memory" +
                       (evidence.memory_bytes ? " (limit " + spokenBytes(evidence.memory_bytes) + ")" : ""));
  std::string sentence = who + " failed";
  if (stage->exit_code > 128 && stage->exit_code <= 192) {
    sentence += ": killed by signal " + std::to_string(stage->exit_code - 128);
  } else if (stage->exit_code > 0) {
    sentence += " with exit code " + std::to_string(stage->exit_code);
  }
  // The guest's own words, unless they say the same.
  if (!stage->sentence.empty() && stage->sentence.find("exited with status") == std::string::npos)
    sentence += ": " + stage->sentence;
  return verdict(BuildState::failed, "stage_failed", sentence);
}

Verdict timedOut(const std::vector<model::Stage>& stages, const Evidence& evidence) {
  const model::Stage* stage = firstIn(stages, StageState::timed_out);
  // The guest's last word tells whose time-out it was.
  const bool of_build = !evidence.finished || evidence.finished->bytes == "the build timed out";
  if (stage && !stage->sentence.empty() && !of_build)
    return verdict(BuildState::timed_out, "stage_timeout",
                   "stage `" + stage->name + "`" + where(*stage) + ": " + stage->sentence);
  return verdict(BuildState::timed_out, "build_timeout",
                 "the build took longer than its timeout of " + spoken(evidence.timeout_ms) +
                     (stage ? ", in stage `" + stage->name + "`" + where(*stage) : "") +
                     (evidence.asked_timeout_ms > 0 ? "; ocelot.yml asks for " + spoken(evidence.asked_timeout_ms) +
                                                          ", and worker.max_build_timeout gives no more"
                                                    : ""));
}

}  // namespace

Verdict judge(const Evidence& evidence, const std::vector<model::Stage>& stages) {
  if (!evidence.finished) {
    if (evidence.asked_cancel) return verdict(BuildState::canceled, "canceled", "canceled");
    if (evidence.overdue) return timedOut(stages, evidence);
    const bool oom = evidence.exit && evidence.exit->out_of_memory;
    if (oom)
      return verdict(BuildState::failed, "out_of_memory",
                     "the container ran out of memory" +
                         (evidence.memory_bytes ? " (limit " + spokenBytes(evidence.memory_bytes) + ")" : ""));
    return verdict(
        BuildState::error, "container_lost",
        "the container ended without a word" +
            (evidence.exit && evidence.exit->known ? " (exit code " + std::to_string(evidence.exit->code) + ")"
                                                   : std::string()) +
            ": its engine stopped it, or somebody did",
        true);
  }
  const Ending ending = evidence.finished->ending;
  // A guest that says one thing and ends with another was not the one that spoke.
  if (!evidence.overdue && evidence.exit && evidence.exit->known &&
      evidence.exit->code != journal::exitStatusOf(ending))
    return verdict(BuildState::error, "tampered",
                   "the journal says one thing and the container's exit code " + std::to_string(evidence.exit->code) +
                       " another: the build interfered with its guest");
  switch (ending) {
    case Ending::passed:
    case Ending::skipped:
      for (const auto& stage : stages)
        if (stage.state != StageState::passed && stage.state != StageState::skipped)
          return verdict(BuildState::error, "tampered",
                         "the journal says all stages passed, and `" + stage.name + "` did not");
      return verdict(BuildState::passed, "", "");
    case Ending::failed:
      return failed(stages, evidence);
    case Ending::timed_out:
      return timedOut(stages, evidence);
    case Ending::canceled:
      if (evidence.asked_cancel) return verdict(BuildState::canceled, "canceled", "canceled");
      return verdict(BuildState::error, "container_lost", "the container was told to stop by somebody else than Ocelot",
                     true);
    case Ending::abandoned:
      return verdict(BuildState::error, "worker_lost", "the worker was away for too long, and the build stopped itself",
                     true);
    case Ending::broken:
      return verdict(BuildState::error, "guest_broken", "the guest could not go on: " + evidence.finished->bytes);
  }
  return verdict(BuildState::error, "tampered", "the journal ends in an unknown way");
}

std::string spoken(std::int64_t milliseconds) {
  char text[48];
  if (milliseconds < 60000) {
    std::snprintf(text, sizeof text, milliseconds % 1000 ? "%.1f s" : "%.0f s",
                  static_cast<double>(milliseconds) / 1000);
  } else if (milliseconds % 3600000 == 0) {
    std::snprintf(text, sizeof text, "%lld h", static_cast<long long>(milliseconds / 3600000));
  } else if (milliseconds % 60000) {
    std::snprintf(text, sizeof text, "%lld min %lld s", static_cast<long long>(milliseconds / 60000),
                  static_cast<long long>(milliseconds % 60000 / 1000));
  } else {
    std::snprintf(text, sizeof text, "%lld min", static_cast<long long>(milliseconds / 60000));
  }
  return text;
}

std::string spokenBytes(std::uint64_t bytes) {
  if (bytes >= (1u << 30) && bytes % (1u << 30) == 0) return std::to_string(bytes >> 30) + " GiB";
  if (bytes >= (1u << 20)) return std::to_string(bytes >> 20) + " MiB";
  return std::to_string(bytes) + " bytes";
}

}  // namespace ocelot::worker
