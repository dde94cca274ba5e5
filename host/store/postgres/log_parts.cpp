#include "host/store/postgres/log_parts.hpp"

#include "host/store/postgres/postgres_store.hpp"

namespace ocelot::store {
namespace {

// A part is full with a 32nd of all logs: so much more than asked for may stay on disk, and there are some dozens of
// parts to plan with. Small ones are not worth a table; and what is to go after 90 days has gone after 97.
constexpr std::int64_t kLeastBytes = 64 << 20, kShare = 32, kMostAgeUs = std::int64_t{7} * 86'400'000'000;

// What is copied in one transaction, of which there is one a turn: it ends builds' leases too.
constexpr std::int64_t kCopiedAtOnce = 16 << 20;
constexpr std::chrono::minutes kAddedUpEvery{5};  // of a million builds from before there were parts: a second

// The next part, after the one that was added up last, that has lost half of its bytes or more, and not all.
bool findHalfGone(Connection& db, LogPartsSeen& seen) {
  const auto now = std::chrono::steady_clock::now();
  if (now < seen.next) return false;
  const Rows rows = db.query(
      "SELECT part, gone_bytes FROM log_parts WHERE state = 'closed' AND gone_bytes > 0 ORDER BY part <= $1, part "
      "LIMIT 1",
      "ii", {seen.last});
  if (rows.empty()) return false;
  seen.last = rows.integer(0, 0);
  seen.next = now + kAddedUpEvery;
  const std::int64_t stays = db.query(
                                   "SELECT CAST(COALESCE(SUM(log_bytes), 0) AS BIGINT) FROM builds WHERE log_part = $1 "
                                   "AND fence > 0 AND state NOT IN ('queued', 'running')",
                                   "i", {seen.last})
                                 .integer(0, 0);
  return stays > 0 && stays <= rows.integer(0, 1);
}

}  // namespace

std::int64_t openLogPart(Connection& db) {
  return db.query("SELECT ocelot_admin_next_log_part($1, $2, $3)", "i", {kLeastBytes, kShare, kMostAgeUs})
      .integer(0, 0);
}

// What stays of such a part is copied to where it may: at most one byte is written for each that is freed.
void PostgresStore::gatherLogs() {
  const std::lock_guard<std::mutex> lock(parts_seen_.mutex);
  LogPartsSeen& seen = parts_seen_;
  if (!seen.leaving)
    seen.leaving = within<bool>(Access::read, [&](Connection& db, bool) { return findHalfGone(db, seen); });
  if (!seen.leaving) return;
  seen.leaving =
      within<std::int64_t>(Access::write, [&](Connection& db, bool) {
        return db.query("SELECT ocelot_admin_keep_logs($1, $2)", "i", {seen.last, kCopiedAtOnce}).integer(0, 0);
      }) > 0;
}

void PostgresStore::removeDeadLogs() {
  // The subselect is asked for part by part: a join might read the index of all builds.
  const Rows empty = within<std::optional<Rows>>(Access::read, [](Connection& db, bool) -> std::optional<Rows> {
                       return db.query(
                           "SELECT part FROM log_parts WHERE state = 'closed' AND (SELECT 1 FROM builds WHERE "
                           "builds.log_part = log_parts.part AND fence > 0 LIMIT 1) IS NULL ORDER BY part",
                           "i", {});
                     }).value();
  for (std::size_t row = 0; row < empty.size(); ++row) {
    const bool emptied = within<bool>(Access::write, [&](Connection& db, bool) {
      return db.query("SELECT CAST(CAST(ocelot_admin_empty_log_part($1) AS int) AS bigint)", "i",
                      {empty.integer(row, 0)})
                 .integer(0, 0) == 1;
    });
    if (!emptied) break;  // whoever reads one, as pg_dump does, mostly has them all: no waiting for each
  }
  transact(Access::write, [](Connection& db, bool) { openLogPart(db); });
}

}  // namespace ocelot::store
