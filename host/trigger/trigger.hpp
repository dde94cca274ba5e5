#pragma once
// From a Change to an accepted build: the one way in, for hooks, polls, schedules and people alike.
//
//   Change + ocelot.yml at its commit ──► skipped (nothing is written) | rejected (a build that says why) | queued |
//   duplicate
//
// Threads: free functions without state; as safe as the store and the queue they are given.

#include <optional>
#include <string>

#include "host/model/build.hpp"
#include "host/queue/queue.hpp"
#include "host/store/store.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::trigger {

// What the VCS provider found at the commit. Both names present is an error of the repo.
struct PipelineFile {
  std::optional<std::string> yml;   // content of ocelot.yml
  std::optional<std::string> yaml;  // content of ocelot.yaml
  std::string fault;                // why one that is there could not be read: the sentence of the rejection
};

// Reads both names through the provider. Throws ocelot::Error for everything but "there is no such file"; a file that
// is too large or not a regular file is a fault of the repo.
PipelineFile readPipelineFile(Vcs& vcs, Call& call, const Commit& commit);

struct Request {
  model::Repo repo;
  Change change;  // `commit` is a full object id
  PipelineFile file;
  model::Trigger trigger = model::Trigger::manual;
  std::string requested_by;  // token name, hook or poll that asked
  std::string rerun_of;      // UUID of the build that this one repeats
  int priority = 0;
  bool force = false;  // branch rules and skip words do not hold
};

enum class Verdict { queued, rejected, skipped, duplicate };
std::string_view toString(Verdict verdict);

struct Decision {
  Verdict verdict = Verdict::skipped;
  std::string build_id;  // "" when skipped
  std::int64_t number = 0;
  std::string reason;    // for programs: "", "branch", "skip_word", "bad_pipeline", "no_pipeline", "duplicate"
  std::string sentence;  // for people; of a rejected build a line for each problem
  std::string unwoken;   // what the queue answered when nobody could be woken; "" normally
};

// Decides, writes, and publishes.
//   skip words   `[skip ci]` or `[ci skip]` in the head commit's message stop what nobody asked for by hand: push,
//   poll,
//                tag and pull request
//   branches     the pipeline's list stops all but a forced build, a rerun and a schedule
//   duplicates   the same commit of the same branch is built once for pushes and polls together, once for a pull
//   request and
//                once for a tag; by hand and by schedule as often as it is asked
// Throws store::Unavailable when nothing was written and the caller has to try again,
// and std::invalid_argument for a change without a full commit id. A queue that is away is no failure: the outbox keeps
// the wake-up for the reconciler.
Decision submit(store::Store& store, queue::Queue& queue, const Request& request);

// Publishes what waits in the outbox, at most `limit` rows; returns how many. Throws what the store or the queue
// throws; what was not published stays.
int publishOutbox(store::Store& store, queue::Queue& queue, int limit = 100);

// Same build asked for twice by pushes, polls or hooks? "" : this trigger never counts as a duplicate.
std::string dedupeKey(const Request& request);

}  // namespace ocelot::trigger
