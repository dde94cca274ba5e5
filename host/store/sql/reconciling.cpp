// What the reconciler does: ended leases, forgotten wake-ups, the lock that makes it one.

#include <set>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"
#include "host/store/topic.hpp"

namespace ocelot::store {

std::vector<Store::ExpiredLease> SqlStore::expiredLeases() {
  return within<std::vector<ExpiredLease>>(Access::read, [](Connection& db, bool) {
    const Rows rows = db.query(
        "SELECT id, claim_id, attempt, lease_until, worker FROM builds WHERE state = 'running' AND "
        "lease_until < (SELECT ocelot_now()) ORDER BY number",
        "ttiit", {});
    std::vector<ExpiredLease> leases;
    for (std::size_t row = 0; row < rows.size(); ++row)
      leases.push_back({rows.text(row, 0), rows.text(row, 1), static_cast<int>(rows.integer(row, 2)),
                        rows.integer(row, 3), rows.text(row, 4)});
    return leases;
  });
}

bool SqlStore::endLease(const ExpiredLease& lease, int max_attempts) {
  const std::string lock =
      std::string(
          "SELECT cancel_requested, machine_tag, cancel_by, attempt FROM builds WHERE id = $1 AND claim_id = $2 AND "
          "state = 'running' AND lease_until = $3 AND lease_until < (SELECT ocelot_now())") +
      dialect().for_update;
  return within<bool>(Access::durable, [&](Connection& db, bool) {
    const std::string& id = lease.build_id;
    const Rows held = db.query(lock, "itti", {id, lease.claim_id, lease.lease_until});
    if (held.empty()) return false;
    tellFollowers(db, id);
    const std::int64_t attempt = held.integer(0, 3);
    const bool canceled = held.integer(0, 0) != 0;
    const std::string lost = "worker " + lease.worker + " was lost in attempt " + std::to_string(attempt) + " of " +
                             std::to_string(max_attempts);
    if (!canceled && attempt < max_attempts) {
      db.run("DELETE FROM stages WHERE build_id = $1", {id});
      db.run(
          "UPDATE builds SET state = 'queued', claim_id = '', worker_key = '', lease_until = 0, started_at = 0, reason "
          "= 'worker_lost', "
          "sentence = $1 WHERE id = $2",
          {lost + "; waiting for the next", id});
      addOutbox(db, held.text(0, 1));
      return true;
    }
    db.run(
        "UPDATE builds SET state = $1, reason = $2, sentence = $3, finished_at = ocelot_now(), lease_until = 0 "
        "WHERE id = $4",
        {canceled ? "canceled" : "error", canceled ? "canceled" : "worker_lost",
         canceled ? "canceled by " + held.text(0, 2) + "; " + lost : lost, id});
    addNotice(db, id);
    return true;
  });
}

std::vector<std::string> SqlStore::staleTopics(std::int64_t age_ms) {
  return within<std::vector<std::string>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query(
        "SELECT DISTINCT machine_tag FROM builds WHERE state = 'queued' AND queued_at < (SELECT ocelot_now()) - $1",
        "t", {age_ms * 1000});
    std::set<std::string> topics;
    for (std::size_t row = 0; row < rows.size(); ++row) topics.insert(topicFor(rows.text(row, 0)));
    return std::vector<std::string>(topics.begin(), topics.end());
  });
}

std::vector<Store::ActiveCount> SqlStore::activeCounts() {
  return within<std::vector<ActiveCount>>(Access::read, [](Connection& db, bool) {
    std::vector<ActiveCount> counts;
    for (const auto state : {model::BuildState::queued, model::BuildState::running}) {
      // The state stands in the statement, so that the partial indexes serve it.
      const Rows rows =
          db.query("SELECT machine_tag, COUNT(*) FROM builds WHERE state = '" + std::string(model::toString(state)) +
                       "' GROUP BY machine_tag ORDER BY machine_tag",
                   "ti", {});
      for (std::size_t row = 0; row < rows.size(); ++row)
        counts.push_back({state, rows.text(row, 0), rows.integer(row, 1)});
    }
    return counts;
  });
}

bool SqlStore::tryLead(const std::string& role, const std::string& holder, std::int64_t hold_ms) {
  return within<bool>(Access::write_one, [&](Connection& db, bool) {
    return !db.query(
                  "INSERT INTO leaders (role, holder, held_until) VALUES ($1, $2, ocelot_now() + $3) "
                  "ON CONFLICT (role) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until "
                  "WHERE leaders.holder = excluded.holder OR leaders.held_until < ocelot_now() RETURNING role",
                  "t", {role, holder, hold_ms * 1000})
                .empty();
  });
}

}  // namespace ocelot::store
