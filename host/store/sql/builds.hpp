#pragma once
// Builds and stages as rows, and the small writes that several transactions share.

#include <string>
#include <string_view>
#include <vector>

#include "host/store/sql/connection.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {

inline constexpr std::size_t kMaxMessage = 4096;              // of a commit's message
inline constexpr std::size_t kMaxSentence = 4096;             // of what is said to people
inline constexpr std::size_t kMaxDocument = 4 * 1024 * 1024;  // a pipeline, a change, a repo's heads
inline constexpr std::size_t kMaxLogChunk = 16 * 1024 * 1024;
inline constexpr std::size_t kMaxStages = 10000;

// The columns of a build, their letters, and the build of a row. List columns leave the two documents empty.
std::string buildColumns(bool with_documents);
extern const char* const kBuildTypes;
constexpr std::size_t kBuildWidth = 25;
Build buildFrom(const Rows& rows, std::size_t row);

// A claimed build's columns: a build's, then claim_id, fence and lease_until.
std::string claimColumns();
extern const char* const kClaimTypes;
ClaimedBuild claimedFrom(const Rows& rows, std::size_t row);

// A stage's columns but the build's: idx, name, state, exit_code, sentence, started_at, finished_at, cpu_us,
// max_rss_bytes, log_begin, log_end, line.
extern const char* const kStageTypes;
std::vector<Stage> stagesFrom(const Rows& rows);
std::vector<Stage> stagesOf(Connection& db, const std::string& build_id);
void putStages(Connection& db, const std::string& build_id, const std::vector<Stage>& stages);

void addOutbox(Connection& db, const std::string& machine_tag);
void addNotice(Connection& db, const std::string& build_id);

// From rows of build id, claim id and cancel_requested: those that are held still.
std::vector<Renewal> renewalsOf(const std::vector<Claim>& claims, const Rows& held);
// Throws std::invalid_argument for what no running build can end as.
void requireEnding(const Finish& finish);
// A worker's tags in one text: they are words, so a blank separates them.
std::string joinedTags(const WorkerRow& row);
// What announcing `row` was refused for: the name, place and URL of who has its id, and since when that is silent.
[[noreturn]] void throwHeld(const WorkerRow& row, const Rows& other);
// The store has `stored` bytes of the log, and the worker has others. Throws Conflict.
[[noreturn]] void throwBehind(const Finish& finish, std::int64_t stored);
void requireFewStages(const std::string& build_id, const std::vector<Stage>& stages);

// Throws std::invalid_argument when `value` is longer than `limit`.
void requireAtMost(const char* what, std::string_view value, std::size_t limit);

}  // namespace ocelot::store
