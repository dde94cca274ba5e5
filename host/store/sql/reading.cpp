// Finding and listing builds, and canceling one.

#include <algorithm>
#include <set>
#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"
#include "host/store/sql/text.hpp"

namespace ocelot::store {

using model::BuildState;

namespace {

constexpr std::size_t kShortestPrefix = 8;

bool allOf(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// A number for people that fits; 0 when the text is none.
std::int64_t numberOf(std::string_view text) {
  if (!allOf(text, "0123456789") || text.size() > 18) return 0;
  return std::stoll(std::string(text));
}

}  // namespace

std::optional<Build> SqlStore::findBuild(std::string_view id_or_number) {
  const std::string id = lower(id_or_number);
  const std::int64_t number = numberOf(id);
  const bool may_be_id = id.size() >= kShortestPrefix && id.size() <= 36 && allOf(id, "0123456789abcdef-");
  return within<std::optional<Build>>(Access::read, [&](Connection& db, bool) -> std::optional<Build> {
    static const std::string select = "SELECT " + buildColumns(true) + " FROM builds";
    std::optional<Build> build;
    if (number > 0) {
      const Rows rows = db.query(select + " WHERE number = $1", kBuildTypes, {number});
      if (!rows.empty()) build = buildFrom(rows, 0);
    }
    if (!build && may_be_id) {
      // 'g' follows every character of a UUID: the range is "begins with".
      const Rows rows =
          db.query(select + " WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2", kBuildTypes, {id, id + "g"});
      if (rows.size() > 1) throw Conflict("find build " + id + ": more than one build's id begins so; give more of it");
      if (!rows.empty()) build = buildFrom(rows, 0);
    }
    if (build) build->stages = stagesOf(db, build->id);
    return build;
  });
}

std::vector<Build> SqlStore::builds(const BuildFilter& filter) {
  const std::string prefix = lower(filter.commit_prefix);
  if (!prefix.empty() && !allOf(prefix, "0123456789abcdef")) return {};
  std::string sql = "SELECT " + buildColumns(false) + " FROM builds";
  std::vector<Param> params;
  const std::string prefix_end = prefix + "g";

  const auto where = [&](const std::string& before, Param value) {
    params.push_back(value);
    sql += (params.size() == 1 ? " WHERE " : " AND ") + before + "$" + std::to_string(params.size());
  };
  if (!filter.repo.empty()) where("repo = ", filter.repo);
  if (!filter.branch.empty()) where("branch = ", filter.branch);
  if (!prefix.empty()) {
    where("commit_id >= ", prefix);
    where("commit_id < ", prefix_end);
  }
  if (filter.before_number > 0) where("number < ", filter.before_number);
  // The states stand in the statement, so that the indexes by state serve it.
  std::string states;
  for (const BuildState state : std::set<BuildState>(filter.states.begin(), filter.states.end()))
    states += (states.empty() ? "'" : ", '") + std::string(model::toString(state)) + "'";
  if (!states.empty()) sql += (params.empty() ? " WHERE state IN (" : " AND state IN (") + states + ")";
  params.emplace_back(std::int64_t{std::clamp(filter.limit, 1, 500)});
  // Few builds are of one commit: an expression keeps the planner from going through all builds, newest first, for
  // them.
  sql += std::string(" ORDER BY number") + (prefix.empty() ? "" : " + 0") + " DESC LIMIT $" +
         std::to_string(params.size());

  return within<std::vector<Build>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query(sql, kBuildTypes, params);
    std::vector<Build> builds;
    for (std::size_t row = 0; row < rows.size(); ++row) builds.push_back(buildFrom(rows, row));
    return builds;
  });
}

// Whoever may take this build may take untagged ones too; builds of other tags wait in other lines.
std::int64_t SqlStore::aheadInQueue(const Build& build) {
  return within<std::int64_t>(Access::read, [&](Connection& db, bool) {
    return db
        .query(
            "SELECT count(*) FROM builds WHERE state = 'queued' AND (machine_tag = '' OR machine_tag = $1) AND "
            "(priority > $2 OR (priority = $2 AND (queued_at < $3 OR (queued_at = $3 AND number < $4))))",
            "i", {build.machine_tag, build.priority, build.queued_at, build.number})
        .integer(0, 0);
  });
}

std::optional<BuildState> SqlStore::cancel(std::string_view build_id, const std::string& by) {
  const std::string lock = std::string("SELECT state FROM builds WHERE id = $1") + dialect().for_update;
  return within<std::optional<BuildState>>(Access::write, [&](Connection& db, bool) -> std::optional<BuildState> {
    const Rows rows = db.query(lock, "t", {build_id});
    if (rows.empty()) return std::nullopt;
    const std::string& state = rows.text(0, 0);
    const std::string who = cutText(by, 1024);
    if (state == "queued") {
      db.run(
          "UPDATE builds SET state = 'canceled', reason = 'canceled', sentence = $1, cancel_requested = 1, cancel_by = "
          "$2, "
          "finished_at = ocelot_now() WHERE id = $3",
          {"canceled by " + who + " before it ran", who, build_id});
      addNotice(db, std::string(build_id));
      tellFollowers(db, build_id);
      return BuildState::canceled;
    }
    // The first who asks is the one who is named.
    if (state == "running")
      db.run("UPDATE builds SET cancel_requested = 1, cancel_by = $1 WHERE id = $2 AND cancel_requested = 0",
             {who, build_id});
    const auto known = model::buildStateFrom(state);
    if (!known) throw std::runtime_error("cancel build " + std::string(build_id) + ": its state is \"" + state + "\"");
    return known;
  });
}

bool SqlStore::holds(const Claim& claim) {
  const char* const sql = "SELECT number FROM builds WHERE id = $1 AND claim_id = $2 AND state = 'running'";
  return within<bool>(Access::read, [&](Connection& db, bool) {
    return !claim.claim_id.empty() && !db.query(sql, "i", {claim.build_id, claim.claim_id}).empty();
  });
}

}  // namespace ocelot::store
