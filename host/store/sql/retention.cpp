// Which builds may go, and their going.

#include <algorithm>
#include <map>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"

namespace ocelot::store {
namespace {

// Builds leave in transactions of this many, so that a heartbeat never waits long for one.
constexpr std::size_t kAtOnce = 20;

// Final, and not the last passed one of its branch.
const char* const kMayGo =
    "state NOT IN ('queued', 'running') AND NOT (state = 'passed' AND number = (SELECT max(number) FROM builds kept "
    "WHERE kept.repo = builds.repo AND kept.branch = builds.branch AND kept.state = 'passed'))";

void addNumbers(const Rows& rows, std::vector<std::int64_t>& out) {
  for (std::size_t row = 0; row < rows.size(); ++row) out.push_back(rows.integer(row, 0));
}

constexpr std::int64_t kDay = 86'400'000'000;

// The tighter of two limits, where 0 is none.
int tighter(int a, int b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

// How many builds each repo keeps at most; repos without such a limit are not in it.
std::map<std::string, int> mostBuilds(Connection& db, const Retention& retention) {
  std::map<std::string, int> most;
  if (retention.keep_builds_per_repo > 0) {
    // A step in the index for each repo, not one for each build.
    const Rows repos = db.query(
        "WITH RECURSIVE names (repo) AS (SELECT MIN(repo) FROM builds UNION ALL SELECT (SELECT MIN(repo) FROM builds "
        "WHERE repo > names.repo) FROM names WHERE names.repo IS NOT NULL) SELECT repo FROM names WHERE repo IS NOT "
        "NULL",
        "t", {});
    for (std::size_t row = 0; row < repos.size(); ++row) most[repos.text(row, 0)] = retention.keep_builds_per_repo;
  }
  for (const auto& own : retention.repos)
    if (own.keep_builds > 0) most[own.repo] = tighter(most[own.repo], own.keep_builds);
  return most;
}

// The builds to remove, oldest first.
std::vector<std::int64_t> candidates(Connection& db, const Retention& retention, int limit) {
  std::vector<std::int64_t> numbers;
  if (retention.keep_days > 0) {
    addNumbers(db.query("SELECT number FROM builds WHERE finished_at < (SELECT ocelot_now()) - $1 AND " +
                            std::string(kMayGo) + " ORDER BY finished_at LIMIT $2",
                        "i", {retention.keep_days * kDay, limit}),
               numbers);
  }
  for (const auto& own : retention.repos)
    if (own.keep_days > 0)
      addNumbers(
          db.query("SELECT number FROM builds WHERE repo = $1 AND finished_at < (SELECT ocelot_now()) - $2 AND " +
                       std::string(kMayGo) + " ORDER BY finished_at LIMIT $3",
                   "i", {own.repo, own.keep_days * kDay, limit}),
          numbers);
  for (const auto& [repo, most] : mostBuilds(db, retention)) {
    const Rows oldest_kept = db.query(
        "SELECT number FROM builds WHERE repo = $1 ORDER BY number DESC LIMIT 1 OFFSET $2", "i", {repo, most - 1});
    if (oldest_kept.empty()) continue;
    addNumbers(db.query("SELECT number FROM builds WHERE repo = $1 AND number < $2 AND " + std::string(kMayGo) +
                            " ORDER BY number LIMIT $3",
                        "i", {repo, oldest_kept.integer(0, 0), limit}),
               numbers);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (numbers.size() > static_cast<std::size_t>(limit)) numbers.resize(static_cast<std::size_t>(limit));
  return numbers;
}

}  // namespace

int SqlStore::prune(const Retention& retention, int limit) {
  removeDeadLogs();  // what an interrupted run left
  const int removed = limit > 0 ? removeBuilds(retention, limit) : 0;
  if (removed > 0) removeDeadLogs();
  gatherLogs();  // last: it may find no room
  return removed;
}

int SqlStore::removeBuilds(const Retention& retention, int limit) {
  const auto numbers = within<std::vector<std::int64_t>>(
      Access::read, [&](Connection& db, bool) { return candidates(db, retention, limit); });
  int removed = 0;
  for (std::size_t begin = 0; begin < numbers.size(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, numbers.size());
    removed += within<int>(Access::write, [&](Connection& db, bool) {
      int gone = 0;
      for (std::size_t i = begin; i < end; ++i) {
        // Asked again under the lock: a candidate may have become the last passed build of its branch meanwhile.
        const Rows rows =
            db.query("DELETE FROM builds WHERE number = $1 AND " + std::string(kMayGo) + " RETURNING id, fence", "ti",
                     {numbers[i]});
        if (rows.empty()) continue;
        markLogDead(db, rows.text(0, 0), rows.integer(0, 1));
        ++gone;
      }
      return gone;
    });
  }
  return removed;
}

std::int64_t SqlStore::logBytes() {
  return within<std::int64_t>(Access::read, [](Connection& db, bool) {
    // Triggers keep the sum of those that have ended.
    return db
        .query(
            "SELECT CAST((SELECT COALESCE(SUM(bytes), 0) FROM log_totals) + (SELECT COALESCE(SUM(log_bytes), 0) FROM "
            "builds WHERE state IN ('queued', 'running')) AS BIGINT)",
            "i", {})
        .integer(0, 0);
  });
}

}  // namespace ocelot::store
