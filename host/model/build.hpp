#pragma once
// A build and its stages: the values that every part of Ocelot passes around. No behaviour that needs an engine.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::model {

// Microseconds since the epoch, by the store's clock; 0: has not happened.
using Micros = std::int64_t;

// queued ──claim──► running ──► passed | failed | timed_out | canceled | error        rejected never ran
enum class BuildState { queued, running, passed, failed, timed_out, canceled, error, rejected };
enum class StageState { pending, running, passed, failed, timed_out, canceled, skipped };

std::string_view toString(BuildState state);
std::string_view toString(StageState state);
std::optional<BuildState> buildStateFrom(std::string_view text);
std::optional<StageState> stageStateFrom(std::string_view text);
bool isFinal(BuildState state);

// Who asked.
enum class Trigger { push, pull_request, tag, manual, poll, schedule, rerun };
std::string_view toString(Trigger trigger);
std::optional<Trigger> triggerFrom(std::string_view text);

// How a build ended. `reason` is for programs ("stage_failed", "image_not_found", "worker_lost", "out_of_memory",
// "stage_timeout", "build_timeout", "canceled", "tampered", "plugin_crashed", "bad_pipeline", …), `sentence` for
// people.
struct Outcome {
  BuildState state = BuildState::error;
  std::string reason;
  std::string sentence;
};

struct Stage {
  int index = 0;  // 0-based, in the order of ocelot.yml
  std::string name;
  StageState state = StageState::pending;
  int exit_code = -1;    // -1: none yet, or none known
  std::string sentence;  // why, when not passed
  Micros started_at = 0;
  Micros finished_at = 0;
  std::int64_t cpu_us = 0;
  std::int64_t max_rss_bytes = 0;
  std::int64_t log_begin = 0;  // offsets in the build's log
  std::int64_t log_end = 0;
  int line = 0;  // where the stage stands in ocelot.yml, 1-based; 0 unknown
};

struct Build {
  std::string id;           // UUID: the identity
  std::int64_t number = 0;  // for people; counts up over the installation
  std::string repo;         // name, "account/repo"
  std::string branch;
  std::string commit;  // full object id
  std::string author;
  std::string message;  // of the commit, first 4 KiB
  Trigger trigger = Trigger::manual;
  std::string requested_by;  // token name, hook or poll that asked
  std::string rerun_of;      // UUID; "" when not a rerun
  BuildState state = BuildState::queued;
  std::string reason;
  std::string sentence;
  std::string machine_tag;  // "" : any worker
  int priority = 0;         // higher first
  std::string pipeline;     // ocelot.yml at that commit, as read
  std::string change_json;  // the Change that caused it, for stage triggers
  int attempt = 0;          // 0: never claimed
  std::string worker;       // who runs or ran it
  std::int64_t log_bytes = 0;
  std::string log_sha256;  // set when sealed
  Micros queued_at = 0;
  Micros started_at = 0;  // of the current attempt
  Micros finished_at = 0;
  bool cancel_requested = false;
  std::vector<Stage> stages;  // filled by show, not by list
};

struct Repo {
  std::string id;  // UUID
  std::string name;
  std::string vcs;  // name of the provider in the configuration
  std::string url;
  std::int64_t poll_seconds = 0;  // 0: not polled
  std::string poll_branches;      // comma list or "ALL"
  std::string heads_json;         // branch → commit, as last seen by the poller
  std::string hook_secret_name;   // name in the secret store; "" : no hooks accepted
  Micros added_at = 0;
  Micros polled_at = 0;
  std::string trouble;  // what polls and hooks cannot read of it, a line each; "" when all is well
};

// A UUID (version 4) from the kernel's random source.
std::string newUuid();
// 128 random bits, hex: a claim id, a token's body.
std::string newClaimId();

}  // namespace ocelot::model
