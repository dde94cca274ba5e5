// What a worker does to the builds that it runs. Every write names the claim. In PostgreSQL, where workers may be
// trusted less than the database, functions do the same: migrations/0008_worker_functions.sql.

#include <algorithm>
#include <stdexcept>

#include "host/digest/digest.hpp"
#include "host/store/sql/builds.hpp"
#include "host/store/sql/text.hpp"
#include "host/store/sqlite/sqlite_store.hpp"

namespace ocelot::store {

using model::BuildState;

namespace {

constexpr std::int64_t kLeastSilence = 30'000'000;  // after which a worker may have lost its id

// What is kept of a key; "" of none.
std::string keySum(const std::string& key) { return key.empty() ? "" : digest::sha256Hex(key); }

void requireWorker(Connection& db, const Claimant& claimant) {
  if (!db.query("SELECT id FROM workers WHERE id = $1 AND key_sum NOT IN ('', $2)", "t",
                {claimant.id, keySum(claimant.key)})
           .empty())
    throw Conflict("worker " + claimant.id + ": another worker has that id, under another key");
}

}  // namespace

// An idle worker asks every now and then: that must not take the write lock.
std::optional<ClaimedBuild> SqliteStore::claim(const Claimant& claimant, const std::vector<std::string>& tags,
                                               std::int64_t lease_ms) {
  static const std::string sql =
      "SELECT number FROM builds WHERE state = 'queued' AND (machine_tag = '' OR machine_tag " +
      dialect().inList("$1") + ") LIMIT 1";
  bool any = false;
  read([&](Connection& db, bool) { any = !db.query(sql, "i", {jsonList(tags)}).empty(); });
  if (!any) return std::nullopt;
  return take(claimant, tags, lease_ms);
}

std::optional<ClaimedBuild> SqliteStore::take(const Claimant& claimant, const std::vector<std::string>& tags,
                                              std::int64_t lease_ms) {
  const std::string claim_id = model::newClaimId();
  static const std::string mine = "SELECT " + claimColumns() + " FROM builds WHERE claim_id = $1 AND state = 'running'";
  const std::string taking =
      "UPDATE builds SET state = 'running', attempt = attempt + 1, fence = fence + 1, claim_id = $1, worker = $2, "
      "worker_key = $3, lease_until = ocelot_now() + $4, started_at = ocelot_now(), reason = '', sentence = '', "
      "log_bytes = 0, "
      "log_sha256 = '' WHERE number = (SELECT number FROM builds WHERE state = 'queued' AND (machine_tag = '' OR "
      "machine_tag " +
      dialect().inList("$5") +
      ") ORDER BY priority DESC, queued_at, number LIMIT 1"
      ") RETURNING " +
      claimColumns();
  return within<std::optional<ClaimedBuild>>(
      Access::durable_one, [&](Connection& db, bool again) -> std::optional<ClaimedBuild> {
        requireWorker(db, claimant);
        // A claim whose answer was lost is looked up, or its build would wait for its lease to end.
        if (again) {
          const Rows held = db.query(mine, kClaimTypes, {claim_id});
          if (!held.empty()) return claimedFrom(held, 0);
        }
        const Rows taken = db.query(taking, kClaimTypes,
                                    {claim_id, claimant.id, keySum(claimant.key), lease_ms * 1000, jsonList(tags)});
        if (taken.empty()) return std::nullopt;
        return claimedFrom(taken, 0);
      });
}

std::vector<Renewal> SqliteStore::renew(const std::vector<Claim>& claims, std::int64_t lease_ms) {
  if (claims.empty()) return {};
  std::vector<std::string> ids;
  for (const Claim& claim : claims) ids.push_back(claim.claim_id);
  const std::string sql = "UPDATE builds SET lease_until = ocelot_now() + $1 WHERE state = 'running' AND claim_id " +
                          dialect().inList("$2") + " RETURNING id, claim_id, cancel_requested";
  return within<std::vector<Renewal>>(Access::write_one, [&](Connection& db, bool) {
    const Rows held = db.query(sql, "tti", {lease_ms * 1000, jsonList(ids)});
    return renewalsOf(claims, held);
  });
}

bool SqliteStore::updateStages(const Claim& claim, const std::vector<Stage>& stages) {
  const std::string sql = "SELECT number FROM builds WHERE id = $1 AND claim_id = $2 AND state = 'running'";
  return within<bool>(Access::write, [&](Connection& db, bool) {
    if (db.query(sql, "i", {claim.build_id, claim.claim_id}).empty()) return false;
    putStages(db, claim.build_id, stages);
    return true;
  });
}

bool SqliteStore::finish(const Finish& finish) {
  const BuildState state = finish.outcome.state;
  requireEnding(finish);
  // What was appended so far is made to survive power loss.
  logs_.sync(finish.claim.build_id, finish.claim.fence);
  const std::string lock = "SELECT fence, log_bytes FROM builds WHERE id = $1 AND claim_id = $2 AND state = 'running'";
  return within<bool>(Access::durable, [&](Connection& db, bool again) {
    const std::string& id = finish.claim.build_id;
    const Rows held = db.query(lock, "ii", {id, finish.claim.claim_id});
    if (held.empty()) {
      if (!again) return false;
      // The first run may have been committed with its answer lost on the way.
      return !db.query("SELECT number FROM builds WHERE id = $1 AND claim_id = $2 AND state = $3", "i",
                       {id, finish.claim.claim_id, model::toString(state)})
                  .empty();
    }
    std::int64_t stored = held.integer(0, 1);
    if (!finish.tail.empty() && finish.tail_offset == stored) {
      appendTail(db, id, held.integer(0, 0), stored, finish.tail);
      stored += static_cast<std::int64_t>(finish.tail.size());
    }
    if (!finish.log_sha256.empty() && stored != finish.log_bytes) throwBehind(finish, stored);
    putStages(db, id, finish.stages);
    db.run(
        "UPDATE builds SET state = $1, reason = $2, sentence = $3, log_bytes = $4, log_sha256 = $5, "
        "finished_at = ocelot_now(), lease_until = 0 WHERE id = $6",
        {model::toString(state), finish.outcome.reason, cutText(finish.outcome.sentence, kMaxSentence), stored,
         finish.log_sha256, id});
    addNotice(db, id);
    return true;
  });
}

bool SqliteStore::release(const Claim& claim, const std::string& why) {
  const std::string lock =
      "SELECT cancel_requested, machine_tag, cancel_by FROM builds WHERE id = $1 AND claim_id = $2 AND state = "
      "'running'";
  return within<bool>(Access::write, [&](Connection& db, bool) {
    const std::string& id = claim.build_id;
    const Rows held = db.query(lock, "itt", {id, claim.claim_id});
    if (held.empty()) return false;
    if (held.integer(0, 0) != 0) {
      db.run(
          "UPDATE builds SET state = 'canceled', reason = 'canceled', sentence = $1, finished_at = ocelot_now(), "
          "lease_until = 0 WHERE id = $2",
          {"canceled by " + held.text(0, 2), id});
      addNotice(db, id);
      return true;
    }
    db.run("DELETE FROM stages WHERE build_id = $1", {id});
    db.run(
        "UPDATE builds SET state = 'queued', attempt = attempt - 1, claim_id = '', worker_key = '', lease_until = 0, "
        "started_at = 0, "
        "reason = 'worker_drained', sentence = $1 WHERE id = $2",
        {cutText(why, kMaxSentence), id});
    addOutbox(db, held.text(0, 1));
    return true;
  });
}

std::vector<ClaimedBuild> SqliteStore::heldBy(const Claimant& claimant) {
  static const std::string sql =
      "SELECT " + claimColumns() +
      " FROM builds WHERE state = 'running' AND worker = $1 AND worker_key IN ('', $2) ORDER BY number";
  return within<std::vector<ClaimedBuild>>(Access::read, [&](Connection& db, bool) {
    requireWorker(db, claimant);
    const Rows rows = db.query(sql, kClaimTypes, {claimant.id, keySum(claimant.key)});
    std::vector<ClaimedBuild> held;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      held.push_back(claimedFrom(rows, row));
      held.back().build.stages = stagesOf(db, held.back().build.id);
    }
    return held;
  });
}

std::string SqliteStore::previousPassed(const Claim& claim) {
  const char* const mine =
      "SELECT repo, branch, number FROM builds WHERE id = $1 AND claim_id = $2 AND state = 'running'";
  const char* const before =
      "SELECT commit_id FROM builds WHERE repo = $1 AND branch = $2 AND state = 'passed' AND number < $3 "
      "ORDER BY number DESC LIMIT 1";
  return within<std::string>(Access::read, [&](Connection& db, bool) -> std::string {
    const Rows build = db.query(mine, "tti", {claim.build_id, claim.claim_id});
    if (build.empty()) return "";
    const Rows passed = db.query(before, "t", {build.text(0, 0), build.text(0, 1), build.integer(0, 2)});
    return passed.empty() ? "" : passed.text(0, 0);
  });
}

void SqliteStore::putWorker(const WorkerRow& row) {
  static const std::string sql =
      "INSERT INTO workers (id, name, url, tags, slots, version, note, started_at, seen_at, key_sum, place) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, ocelot_now(), $9, $10) ON CONFLICT (id) DO UPDATE SET "
      "name = excluded.name, url = excluded.url, tags = excluded.tags, slots = excluded.slots, "
      "version = excluded.version, note = excluded.note, started_at = excluded.started_at, "
      "seen_at = excluded.seen_at, key_sum = excluded.key_sum, place = excluded.place "
      "WHERE (workers.key_sum IN ('', $9) AND (workers.place IN ('', $10) OR workers.seen_at < $11)) "
      "OR (workers.seen_at < $11 AND NOT EXISTS (SELECT 1 FROM builds WHERE state = 'running' AND worker = $1 "
      "AND worker_key NOT IN ('', $9))) RETURNING id";
  const std::string tags = joinedTags(row);
  const std::string sum = keySum(row.key);
  transact(Access::write_one, [&](Connection& db, bool) {
    const std::int64_t lost =
        db.query("SELECT ocelot_now()", "i", {}).integer(0, 0) - std::max(row.lease_ms * 1000, kLeastSilence);
    if (!db.query(sql, "t",
                  {row.id, row.name, row.url, tags, row.slots, row.version, row.note, row.started_at, sum, row.place,
                   lost})
             .empty())
      return;
    const Rows other =
        db.query("SELECT name, place, url, ocelot_now() - seen_at FROM workers WHERE id = $1", "ttti", {row.id});
    throwHeld(row, other);
  });
}

void SqliteStore::removeWorker(const WorkerRow& row) {
  transact(Access::write_one, [&](Connection& db, bool) {
    db.run("DELETE FROM workers WHERE id = $1 AND key_sum IN ('', $2) AND place IN ('', $3)",
           {row.id, keySum(row.key), row.place});
  });
}

}  // namespace ocelot::store
