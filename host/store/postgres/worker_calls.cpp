// What a worker does to builds, each a call of a function that demands the claim
// (migrations/0008_worker_functions.sql, 0011_worker_places.sql): its role has no other way to them.

#include <stdexcept>

#include "host/store/postgres/postgres_store.hpp"
#include "host/store/sql/builds.hpp"
#include "host/store/sql/text.hpp"

namespace ocelot::store {
namespace {

// Answers of ocelot_worker_append and ocelot_worker_finish.
constexpr std::int64_t kNotYours = -1, kDone = -2;

const char* const kHeld =
    "SELECT idx, name, state, exit_code, sentence, started_at, finished_at, cpu_us, "
    "max_rss_bytes, log_begin, log_end, line FROM ocelot_worker_stages($1, $2)";

std::string quotedJson(std::string_view text) {
  const std::string list = jsonList({std::string(text)});
  return list.substr(1, list.size() - 2);
}

std::string stagesJson(const std::string& build_id, const std::vector<Stage>& stages) {
  requireFewStages(build_id, stages);
  std::string out = "[";
  const auto number = [&out](const char* name, std::int64_t value) {
    out += std::string(",\"") + name + "\":" + std::to_string(value);
  };
  for (const Stage& stage : stages) {
    out += (out.size() > 1 ? ",{\"idx\":" : "{\"idx\":") + std::to_string(stage.index);
    out += ",\"name\":" + quotedJson(stage.name) + ",\"state\":" + quotedJson(model::toString(stage.state));
    out += ",\"sentence\":" + quotedJson(cutText(stage.sentence, kMaxSentence));
    number("exit_code", stage.exit_code);
    number("started_at", stage.started_at);
    number("finished_at", stage.finished_at);
    number("cpu_us", stage.cpu_us);
    number("max_rss_bytes", stage.max_rss_bytes);
    number("log_begin", stage.log_begin);
    number("log_end", stage.log_end);
    number("line", stage.line);
    out += "}";
  }
  return out + "]";
}

}  // namespace

std::optional<ClaimedBuild> PostgresStore::claim(const Claimant& claimant, const std::vector<std::string>& tags,
                                                 std::int64_t lease_ms) {
  static const std::string sql = "SELECT " + claimColumns() + " FROM ocelot_worker_claim($1, $2, $3, $4, $5, $6)";
  const std::string claim_id = model::newClaimId();
  return within<std::optional<ClaimedBuild>>(
      Access::durable_one, [&](Connection& db, bool again) -> std::optional<ClaimedBuild> {
        const Rows taken = db.query(
            sql, kClaimTypes,
            {claim_id, claimant.id, claimant.key, lease_ms * 1000, jsonList(tags), std::int64_t{again ? 1 : 0}});
        if (taken.empty()) return std::nullopt;
        return claimedFrom(taken, 0);
      });
}

std::vector<Renewal> PostgresStore::renew(const std::vector<Claim>& claims, std::int64_t lease_ms) {
  if (claims.empty()) return {};
  std::vector<std::string> ids;
  for (const Claim& claim : claims) ids.push_back(claim.claim_id);
  const std::string list = jsonList(ids);
  return within<std::vector<Renewal>>(Access::write_one, [&](Connection& db, bool) {
    const Rows held = db.query("SELECT its_build, its_claim, cancel FROM ocelot_worker_renew($1, $2)", "tti",
                               {lease_ms * 1000, list});
    return renewalsOf(claims, held);
  });
}

bool PostgresStore::updateStages(const Claim& claim, const std::vector<Stage>& stages) {
  const std::string json = stagesJson(claim.build_id, stages);
  return within<bool>(Access::write_one, [&](Connection& db, bool) {
    return db.query("SELECT ocelot_worker_put_stages($1, $2, $3)", "i", {claim.build_id, claim.claim_id, json})
               .integer(0, 0) != 0;
  });
}

std::optional<std::int64_t> PostgresStore::appendLog(const Claim& claim, std::int64_t offset, std::string_view bytes) {
  requireAtMost("log chunk", bytes, kMaxLogChunk);
  const auto size = within<std::int64_t>(Access::write_one, [&](Connection& db, bool) {
    return db
        .query("SELECT ocelot_worker_append($1, $2, $3, $4)", "i",
               {claim.build_id, claim.claim_id, offset, Bytes{bytes}})
        .integer(0, 0);
  });
  return size == kNotYours ? std::nullopt : std::optional(size);
}

bool PostgresStore::finish(const Finish& finish) {
  requireEnding(finish);
  const std::string& id = finish.claim.build_id;
  const std::string json = stagesJson(id, finish.stages);
  const auto answer = within<std::int64_t>(Access::durable_one, [&](Connection& db, bool again) {
    return db
        .query("SELECT ocelot_worker_finish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", "i",
               {id, finish.claim.claim_id, model::toString(finish.outcome.state), finish.outcome.reason,
                cutText(finish.outcome.sentence, kMaxSentence), json, finish.log_bytes, finish.log_sha256,
                finish.tail_offset, Bytes{finish.tail}, std::int64_t{again ? 1 : 0}})
        .integer(0, 0);
  });
  if (answer >= 0) throwBehind(finish, answer);
  return answer == kDone;
}

bool PostgresStore::release(const Claim& claim, const std::string& why) {
  return within<bool>(Access::write_one, [&](Connection& db, bool) {
    return db.query("SELECT ocelot_worker_release($1, $2, $3)", "i",
                    {claim.build_id, claim.claim_id, cutText(why, kMaxSentence)})
               .integer(0, 0) != 0;
  });
}

std::vector<ClaimedBuild> PostgresStore::heldBy(const Claimant& claimant) {
  static const std::string sql = "SELECT " + claimColumns() + " FROM ocelot_worker_held($1, $2)";
  return within<std::vector<ClaimedBuild>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query(sql, kClaimTypes, {claimant.id, claimant.key});
    std::vector<ClaimedBuild> held;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      held.push_back(claimedFrom(rows, row));
      const Claim& claim = held.back().claim;
      held.back().build.stages = stagesFrom(db.query(kHeld, kStageTypes, {claim.build_id, claim.claim_id}));
    }
    return held;
  });
}

std::string PostgresStore::previousPassed(const Claim& claim) {
  return within<std::string>(Access::read, [&](Connection& db, bool) {
    return db.query("SELECT ocelot_worker_previous($1, $2)", "t", {claim.build_id, claim.claim_id}).text(0, 0);
  });
}

void PostgresStore::putWorker(const WorkerRow& row) {
  const std::string tags = joinedTags(row);
  transact(Access::write_one, [&](Connection& db, bool) {
    const Rows other = db.query(
        "SELECT other_name, other_place, other_url, silent_for FROM ocelot_worker_announce($1, $2, $3, $4, $5, $6, $7, "
        "$8, $9, $10, $11)",
        "ttti",
        {row.id, row.key, row.place, row.name, row.url, tags, row.slots, row.version, row.note, row.started_at,
         row.lease_ms * 1000});
    if (!other.empty()) throwHeld(row, other);
  });
}

void PostgresStore::removeWorker(const WorkerRow& row) {
  transact(Access::write_one, [&](Connection& db, bool) {
    db.query("SELECT ocelot_worker_withdraw($1, $2, $3)", "i", {row.id, row.key, row.place});
  });
}

}  // namespace ocelot::store
