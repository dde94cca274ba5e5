// What a worker does to the builds that it runs. Every write names the claim.

#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"
#include "host/store/sql/text.hpp"

namespace ocelot::store {

using model::BuildState;

std::optional<ClaimedBuild> SqlStore::claim(const std::string& worker_id, const std::vector<std::string>& tags,
                                            std::int64_t lease_ms) {
  const std::string claim_id = model::newClaimId();
  static const std::string mine = "SELECT " + claimColumns() + " FROM builds WHERE claim_id = $1 AND state = 'running'";
  const std::string take =
      "UPDATE builds SET state = 'running', attempt = attempt + 1, fence = fence + 1, claim_id = $1, worker = $2, "
      "lease_until = ocelot_now() + $3, started_at = ocelot_now(), reason = '', sentence = '', log_bytes = 0, "
      "log_sha256 = '' WHERE number = (SELECT number FROM builds WHERE state = 'queued' AND (machine_tag = '' OR "
      "machine_tag " +
      dialect().inList("$4") + ") ORDER BY priority DESC, queued_at, number LIMIT 1" + dialect().skip_locked +
      ") RETURNING " + claimColumns();
  return within<std::optional<ClaimedBuild>>(
      Access::durable_one, [&](Connection& db, bool again) -> std::optional<ClaimedBuild> {
        // A claim whose answer was lost is looked up, or its build would wait for its lease to end.
        if (again) {
          const Rows held = db.query(mine, kClaimTypes, {claim_id});
          if (!held.empty()) return claimedFrom(held, 0);
        }
        const Rows taken = db.query(take, kClaimTypes, {claim_id, worker_id, lease_ms * 1000, jsonList(tags)});
        if (taken.empty()) return std::nullopt;
        return claimedFrom(taken, 0);
      });
}

std::vector<Renewal> SqlStore::renew(const std::vector<Claim>& claims, std::int64_t lease_ms) {
  if (claims.empty()) return {};
  std::vector<std::string> ids;
  for (const Claim& claim : claims) ids.push_back(claim.claim_id);
  const std::string sql = "UPDATE builds SET lease_until = ocelot_now() + $1 WHERE state = 'running' AND claim_id " +
                          dialect().inList("$2") + " RETURNING id, claim_id, cancel_requested";
  return within<std::vector<Renewal>>(Access::write_one, [&](Connection& db, bool) {
    const Rows held = db.query(sql, "tti", {lease_ms * 1000, jsonList(ids)});
    std::vector<Renewal> renewals;
    for (const Claim& claim : claims) {
      Renewal& renewal = renewals.emplace_back();
      renewal.build_id = claim.build_id;
      for (std::size_t row = 0; row < held.size(); ++row) {
        if (held.text(row, 0) != claim.build_id || held.text(row, 1) != claim.claim_id) continue;
        renewal.held = true;
        renewal.cancel_requested = held.integer(row, 2) != 0;
      }
    }
    return renewals;
  });
}

bool SqlStore::updateStages(const Claim& claim, const std::vector<Stage>& stages) {
  const std::string sql =
      std::string("SELECT number FROM builds WHERE id = $1 AND claim_id = $2 AND state = 'running'") +
      dialect().for_update;
  return within<bool>(Access::write, [&](Connection& db, bool) {
    if (db.query(sql, "i", {claim.build_id, claim.claim_id}).empty()) return false;
    putStages(db, claim.build_id, stages);
    tellFollowers(db, claim.build_id);
    return true;
  });
}

bool SqlStore::finish(const Finish& finish) {
  const BuildState state = finish.outcome.state;
  if (!model::isFinal(state) || state == BuildState::rejected)
    throw std::invalid_argument("finish build " + finish.claim.build_id + ": a running build cannot end as " +
                                std::string(model::toString(state)));
  requireAtMost("log chunk", finish.tail, kMaxLogChunk);
  settleLog(finish.claim);
  const std::string lock =
      std::string("SELECT fence, log_bytes FROM builds WHERE id = $1 AND claim_id = $2 AND state = 'running'") +
      dialect().for_update;
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
    if (!finish.log_sha256.empty() && stored != finish.log_bytes)
      throw Conflict("seal the log of build " + id + ": the store has " + std::to_string(stored) +
                     " bytes of it and the worker " + std::to_string(finish.log_bytes) + "; append the rest first");
    putStages(db, id, finish.stages);
    db.run(
        "UPDATE builds SET state = $1, reason = $2, sentence = $3, log_bytes = $4, log_sha256 = $5, "
        "finished_at = ocelot_now(), lease_until = 0 WHERE id = $6",
        {model::toString(state), finish.outcome.reason, cutText(finish.outcome.sentence, kMaxSentence), stored,
         finish.log_sha256, id});
    addNotice(db, id);
    tellFollowers(db, id);
    return true;
  });
}

bool SqlStore::release(const Claim& claim, const std::string& why) {
  const std::string lock = std::string(
                               "SELECT cancel_requested, machine_tag, cancel_by FROM builds WHERE id = $1 AND claim_id "
                               "= $2 AND state = 'running'") +
                           dialect().for_update;
  return within<bool>(Access::write, [&](Connection& db, bool) {
    const std::string& id = claim.build_id;
    const Rows held = db.query(lock, "itt", {id, claim.claim_id});
    if (held.empty()) return false;
    tellFollowers(db, id);
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
        "UPDATE builds SET state = 'queued', attempt = attempt - 1, claim_id = '', lease_until = 0, started_at = 0, "
        "reason = 'worker_drained', sentence = $1 WHERE id = $2",
        {cutText(why, kMaxSentence), id});
    addOutbox(db, held.text(0, 1));
    return true;
  });
}

std::vector<ClaimedBuild> SqlStore::heldBy(const std::string& worker_id) {
  static const std::string sql =
      "SELECT " + claimColumns() + " FROM builds WHERE state = 'running' AND worker = $1 ORDER BY number";
  return within<std::vector<ClaimedBuild>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query(sql, kClaimTypes, {worker_id});
    std::vector<ClaimedBuild> held;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      held.push_back(claimedFrom(rows, row));
      held.back().build.stages = stagesOf(db, held.back().build.id);
    }
    return held;
  });
}

}  // namespace ocelot::store
