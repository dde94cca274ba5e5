#pragma once
// What the guest is to do: written by the build process, read once by the guest. Standard library only: the guest is a
// small static program. Version 1; a worker reads and writes its own version and the one before.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocelot::journal {

inline constexpr std::uint32_t kPlanVersion = 1;
// Bounds on a plan, checked by the reader: 4 MiB in all, 1,000 stages, 10,000 environment entries.
inline constexpr std::size_t kMaxPlanBytes = 4u << 20;

using Environment = std::vector<std::pair<std::string, std::string>>;

struct PlanStage {
  std::string name;
  std::string script;                // shell text, run under `set -e`
  Environment env;                   // over the plan's
  std::string user;                  // "", "1000", "app", "app:group"; "" : the plan's
  std::int64_t timeout_ms = 0;       // 0: none but the build's
  bool skip = false;                 // its trigger conditions were not met
  std::string skip_reason;           // shown
  bool always = false;               // runs also after a failed stage
  std::vector<std::string> secrets;  // names asked of the broker and set as variables of the same name
};

struct Plan {
  std::string build_id;
  std::uint32_t attempt = 0;
  std::string shell = "/bin/sh";
  std::string working_dir = "/workspace";  // stages start here; made and given to `user` when missing
  std::string user;                        // the image's USER; "" : root
  Environment env;                         // the whole environment of a stage, but for HOME, USER, LOGNAME, SHELL, PWD
  std::int64_t timeout_ms = 0;             // of the whole build; 0: none
  std::int64_t grace_ms = 10000;           // between TERM and KILL
  std::int64_t alive_timeout_ms = 25000;   // the guest ends everything when `alive` stood still for so long; 0: never
  std::uint64_t max_journal_backlog = 256u << 20;  // unread bytes, beyond which the guest stops reading the pipes
  std::vector<PlanStage> stages;
};

std::string encode(const Plan& plan);
// Throws std::runtime_error naming what is wrong and where.
Plan decodePlan(std::string_view bytes);

}  // namespace ocelot::journal
