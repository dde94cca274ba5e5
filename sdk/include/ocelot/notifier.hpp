#pragma once
// Somewhere to tell people, or other programs, how a build ended. Handles are [serial].

#include <cstdint>
#include <string>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot {
inline namespace v1 {

struct StageNotice {
  std::string name;
  std::string state;  // passed | failed | skipped | timed_out | canceled
  int exit_code = 0;
  std::int64_t duration_ms = 0;
};

// A build that has ended. `state` is passed | failed | timed_out | canceled | error | rejected.
struct BuildNotice {
  std::string id;  // UUID: the key by which a receiver drops a notice told twice
  std::int64_t number = 0;
  std::string repo, branch, commit, author, message;
  std::string state, reason, sentence;
  std::string url;  // where a person looks; "" when no address is configured
  std::int64_t queued_at_us = 0, started_at_us = 0, finished_at_us = 0;
  std::vector<StageNotice> stages;
  std::string previous_state;  // of the same branch; "" for the first
};

class Notifier {
 public:
  virtual ~Notifier() = default;
  // Tells once. `target` is what the repo's ocelot.yml names (a channel, an address), "" for the instance's own.
  // unavailable: the host tries again later, with backoff; anything else is final and shown to the operator.
  virtual void tell(Call&, const BuildNotice&, const std::string& target) = 0;
};

}  // namespace v1
}  // namespace ocelot
