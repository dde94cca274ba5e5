#include "host/store/sql/builds.hpp"

#include <stdexcept>

#include "host/store/sql/text.hpp"
#include "host/store/topic.hpp"

namespace ocelot::store {

const char* const kBuildTypes =
    "ittttttttttttt"
    "i"
    "tt"
    "i"
    "t"
    "i"
    "t"
    "iiii";
const char* const kClaimTypes =
    "ittttttttttttt"
    "i"
    "tt"
    "i"
    "t"
    "i"
    "t"
    "iiii"
    "tii";

const char* const kStageTypes = "ittitiiiiiii";

std::string buildColumns(bool with_documents) {
  return std::string(
             "number, id, repo, branch, commit_id, author, message, trigger_kind, requested_by, rerun_of, state, "
             "reason, sentence, machine_tag, priority, ") +
         (with_documents ? "pipeline, change_json" : "'', ''") +
         ", attempt, worker, log_bytes, log_sha256, queued_at, started_at, finished_at, cancel_requested";
}

std::string claimColumns() { return buildColumns(true) + ", claim_id, fence, lease_until"; }

namespace {

template <typename Value>
Value known(const std::optional<Value>& value, const std::string& text) {
  if (!value) throw std::runtime_error("read a build: \"" + text + "\" is a word that this program does not know");
  return *value;
}

// Reads the columns of one row from left to right.
class Cursor {
 public:
  Cursor(const Rows& rows, std::size_t row, std::size_t column = 0) : rows_(rows), row_(row), column_(column) {}
  std::int64_t integer() { return rows_.integer(row_, column_++); }
  int number() { return static_cast<int>(integer()); }
  const std::string& text() { return rows_.text(row_, column_++); }

 private:
  const Rows& rows_;
  std::size_t row_;
  std::size_t column_;
};

}  // namespace

Build buildFrom(const Rows& rows, std::size_t row) {
  Cursor next(rows, row);
  Build build;
  build.number = next.integer();
  build.id = next.text();
  build.repo = next.text();
  build.branch = next.text();
  build.commit = next.text();
  build.author = next.text();
  build.message = next.text();
  const std::string& trigger = next.text();
  build.trigger = known(model::triggerFrom(trigger), trigger);
  build.requested_by = next.text();
  build.rerun_of = next.text();
  const std::string& state = next.text();
  build.state = known(model::buildStateFrom(state), state);
  build.reason = next.text();
  build.sentence = next.text();
  build.machine_tag = next.text();
  build.priority = next.number();
  build.pipeline = next.text();
  build.change_json = next.text();
  build.attempt = next.number();
  build.worker = next.text();
  build.log_bytes = next.integer();
  build.log_sha256 = next.text();
  build.queued_at = next.integer();
  build.started_at = next.integer();
  build.finished_at = next.integer();
  build.cancel_requested = next.integer() != 0;
  return build;
}

ClaimedBuild claimedFrom(const Rows& rows, std::size_t row) {
  ClaimedBuild claimed;
  claimed.build = buildFrom(rows, row);
  Cursor next(rows, row, kBuildWidth);
  claimed.claim.build_id = claimed.build.id;
  claimed.claim.attempt = claimed.build.attempt;
  claimed.claim.claim_id = next.text();
  claimed.claim.fence = next.integer();
  claimed.claim.lease_until = next.integer();
  return claimed;
}

std::vector<Stage> stagesOf(Connection& db, const std::string& build_id) {
  static const std::string sql =
      "SELECT idx, name, state, exit_code, sentence, started_at, finished_at, cpu_us, max_rss_bytes, log_begin, "
      "log_end, "
      "line FROM stages WHERE build_id = $1 ORDER BY idx";
  return stagesFrom(db.query(sql, kStageTypes, {build_id}));
}

std::vector<Stage> stagesFrom(const Rows& rows) {
  std::vector<Stage> stages;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Cursor next(rows, row);
    Stage& stage = stages.emplace_back();
    stage.index = next.number();
    stage.name = next.text();
    const std::string& state = next.text();
    stage.state = known(model::stageStateFrom(state), state);
    stage.exit_code = next.number();
    stage.sentence = next.text();
    stage.started_at = next.integer();
    stage.finished_at = next.integer();
    stage.cpu_us = next.integer();
    stage.max_rss_bytes = next.integer();
    stage.log_begin = next.integer();
    stage.log_end = next.integer();
    stage.line = next.number();
  }
  return stages;
}

void putStages(Connection& db, const std::string& build_id, const std::vector<Stage>& stages) {
  static const std::string sql =
      "INSERT INTO stages (build_id, idx, name, state, exit_code, sentence, started_at, finished_at, cpu_us, "
      "max_rss_bytes, log_begin, log_end, line) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
      "ON CONFLICT (build_id, idx) DO UPDATE SET name = excluded.name, state = excluded.state, "
      "exit_code = excluded.exit_code, sentence = excluded.sentence, started_at = excluded.started_at, "
      "finished_at = excluded.finished_at, cpu_us = excluded.cpu_us, max_rss_bytes = excluded.max_rss_bytes, "
      "log_begin = excluded.log_begin, log_end = excluded.log_end, line = excluded.line";
  requireFewStages(build_id, stages);
  for (const Stage& stage : stages)
    db.run(sql, {build_id, stage.index, stage.name, model::toString(stage.state), stage.exit_code,
                 cutText(stage.sentence, kMaxSentence), stage.started_at, stage.finished_at, stage.cpu_us,
                 stage.max_rss_bytes, stage.log_begin, stage.log_end, stage.line});
}

void requireFewStages(const std::string& build_id, const std::vector<Stage>& stages) {
  if (stages.size() > kMaxStages)
    throw std::invalid_argument("store the stages of build " + build_id + ": " + std::to_string(stages.size()) +
                                " of them, at most " + std::to_string(kMaxStages) + " are allowed");
}

std::vector<Renewal> renewalsOf(const std::vector<Claim>& claims, const Rows& held) {
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
}

void requireEnding(const Finish& finish) {
  const model::BuildState state = finish.outcome.state;
  if (!model::isFinal(state) || state == model::BuildState::rejected)
    throw std::invalid_argument("finish build " + finish.claim.build_id + ": a running build cannot end as " +
                                std::string(model::toString(state)));
  requireAtMost("log chunk", finish.tail, kMaxLogChunk);
}

std::string joinedTags(const WorkerRow& row) {
  std::string out;
  for (const auto& tag : row.tags) {
    if (tag.find_first_of(" \t\r\n") != std::string::npos || tag.empty())
      throw std::invalid_argument("announce a worker: \"" + tag + "\" is no tag; a tag is a word");
    if (!out.empty()) out += ' ';
    out += tag;
  }
  return out;
}

void throwHeld(const WorkerRow& row, const Rows& other) {
  const auto shown = [](const std::string& name, const std::string& place, const std::string& url) {
    return "\"" + name + "\"" + (place.empty() ? "" : " on " + place) + (url.empty() ? "" : ", " + url);
  };
  throw WorkerHeld("announce worker " + row.id + " as " + shown(row.name, row.place, row.url) + ": " +
                       shown(other.text(0, 0), other.text(0, 1), other.text(0, 2)) +
                       " has that id; two workers never share one: give each a data_dir of its own, without the "
                       "worker-id and worker-key of another",
                   other.integer(0, 3));
}

void throwBehind(const Finish& finish, std::int64_t stored) {
  throw Conflict("seal the log of build " + finish.claim.build_id + ": the store has " + std::to_string(stored) +
                 " bytes of it and the worker " + std::to_string(finish.log_bytes) + "; append the rest first");
}

void addOutbox(Connection& db, const std::string& machine_tag) {
  db.run("INSERT INTO outbox (topic) VALUES ($1)", {topicFor(machine_tag)});
}

void addNotice(Connection& db, const std::string& build_id) {
  db.run("INSERT INTO notices (build_id) VALUES ($1)", {build_id});
}

void requireAtMost(const char* what, std::string_view value, std::size_t limit) {
  if (value.size() > limit)
    throw std::invalid_argument(std::string("store a ") + what + ": it has " + std::to_string(value.size()) +
                                " bytes, at most " + std::to_string(limit) + " are allowed");
}

}  // namespace ocelot::store
