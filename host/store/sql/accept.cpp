// Accepting builds, and the outbox that announces them.

#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"
#include "host/store/sql/text.hpp"

namespace ocelot::store {

using model::BuildState;

Accepted SqlStore::accept(const Build& build, const std::string& dedupe_key) {
  if (build.state != BuildState::queued && build.state != BuildState::rejected)
    throw std::invalid_argument("accept a build: its state is " + std::string(model::toString(build.state)) +
                                ", only queued and rejected builds are accepted");
  requireAtMost("pipeline", build.pipeline, kMaxDocument);
  requireAtMost("change", build.change_json, kMaxDocument);
  requireAtMost("dedupe key", dedupe_key, 1024);
  requireAtMost("branch name", build.branch, 4096);
  requireAtMost("repo's name", build.repo, 1024);
  const std::string id = build.id.empty() ? model::newUuid() : build.id;
  const bool rejected = build.state == BuildState::rejected;

  return within<Accepted>(Access::durable, [&](Connection& db, bool again) {
    if (again) {
      // The first run may have been committed with its answer lost on the way.
      const Rows there = db.query("SELECT number FROM builds WHERE id = $1", "i", {id});
      if (!there.empty()) return Accepted{id, there.integer(0, 0), false};
    }
    const Rows added = db.query(
        "INSERT INTO builds (id, repo, branch, commit_id, author, message, trigger_kind, requested_by, rerun_of, "
        "state, "
        "reason, sentence, machine_tag, priority, pipeline, change_json, dedupe_key, queued_at, finished_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, ocelot_now(), "
        "CASE WHEN CAST($18 AS BIGINT) = 1 THEN ocelot_now() ELSE 0 END) "
        "ON CONFLICT (dedupe_key) WHERE dedupe_key <> '' DO NOTHING RETURNING number",
        "i",
        {id, build.repo, build.branch, build.commit, cutText(build.author, 1024), cutText(build.message, kMaxMessage),
         model::toString(build.trigger), build.requested_by, build.rerun_of, model::toString(build.state), build.reason,
         cutText(build.sentence, kMaxSentence), build.machine_tag, build.priority, build.pipeline, build.change_json,
         dedupe_key, rejected ? 1 : 0});
    if (added.empty()) {
      // The index leaves the empty key out, and serves only statements that say so too.
      const Rows first =
          db.query("SELECT id, number FROM builds WHERE dedupe_key = $1 AND dedupe_key <> ''", "ti", {dedupe_key});
      // Pruned between the two statements: as good as a duplicate that ended long ago, but there is none to name.
      if (first.empty()) throw Unavailable("accept a build: its duplicate was being removed; try again");
      return Accepted{first.text(0, 0), first.integer(0, 1), true};
    }
    putStages(db, id, build.stages);
    if (rejected) {
      addNotice(db, id);
    } else {
      addOutbox(db, build.machine_tag);
    }
    return Accepted{id, added.integer(0, 0), false};
  });
}

std::vector<OutboxItem> SqlStore::outbox(int limit) {
  return within<std::vector<OutboxItem>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query("SELECT id, topic FROM outbox ORDER BY id LIMIT $1", "it", {limit});
    std::vector<OutboxItem> items;
    for (std::size_t row = 0; row < rows.size(); ++row) items.push_back({rows.integer(row, 0), rows.text(row, 1)});
    return items;
  });
}

void SqlStore::published(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return;
  transact(Access::write, [&](Connection& db, bool) {
    for (const std::int64_t id : ids) db.run("DELETE FROM outbox WHERE id = $1", {id});
  });
}

}  // namespace ocelot::store
