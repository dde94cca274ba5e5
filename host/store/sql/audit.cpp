// Who changed what.

#include <limits>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"

namespace ocelot::store {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::size_t kMaxText = 1024;

}  // namespace

std::int64_t SqlStore::beginAudit(const AuditEntry& entry) {
  for (const std::string* text : {&entry.token_id, &entry.actor, &entry.peer, &entry.action, &entry.object})
    requireAtMost("audit entry's text", *text, kMaxText);
  return within<std::int64_t>(Access::write_one, [&](Connection& db, bool) {
    return db
        .query(
            "INSERT INTO audit (at, token_id, actor, peer, action, object) VALUES (ocelot_now(), $1, $2, $3, $4, $5) "
            "RETURNING id",
            "i", {entry.token_id, entry.actor, entry.peer, entry.action, entry.object})
        .integer(0, 0);
  });
}

void SqlStore::endAudit(std::int64_t id, const std::string& object, int status) {
  requireAtMost("audit entry's object", object, kMaxText);
  transact(Access::write_one, [&](Connection& db, bool) {
    db.run("UPDATE audit SET object = $1, status = $2 WHERE id = $3", {object, status, id});
  });
}

std::vector<AuditEntry> SqlStore::audit(std::int64_t before_id, int limit) {
  if (before_id <= 0) before_id = std::numeric_limits<std::int64_t>::max();
  return within<std::vector<AuditEntry>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query(
        "SELECT id, at, token_id, actor, peer, action, object, status FROM audit WHERE id < $1 ORDER BY id DESC "
        "LIMIT $2",
        "iittttti", {before_id, limit});
    std::vector<AuditEntry> entries;
    for (std::size_t row = 0; row < rows.size(); ++row)
      entries.push_back({rows.integer(row, 0), rows.integer(row, 1), rows.text(row, 2), rows.text(row, 3),
                         rows.text(row, 4), rows.text(row, 5), rows.text(row, 6),
                         static_cast<int>(rows.integer(row, 7))});
    return entries;
  });
}

int SqlStore::pruneAudit(int keep_days, int limit) {
  if (keep_days <= 0 || limit <= 0) return 0;
  return within<int>(Access::write_one, [&](Connection& db, bool) {
    return static_cast<int>(
        db.query("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < (SELECT ocelot_now()) - $1 "
                 "ORDER BY id LIMIT $2) RETURNING id",
                 "i", {keep_days * kDay, limit})
            .size());
  });
}

}  // namespace ocelot::store
