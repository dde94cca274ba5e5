// Webhooks as they came in, and notices of builds that ended.

#include <algorithm>
#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"
#include "host/store/sql/text.hpp"

namespace ocelot::store {

bool SqlStore::storeHook(const InboxItem& item) {
  requireAtMost("hook's body", item.body, 32 * 1024 * 1024);
  requireAtMost("hook's headers", item.headers_json, 1024 * 1024);
  requireAtMost("hook's delivery id", item.delivery, 1024);
  // A sender that numbers nothing has no duplicates that could be known.
  const std::string delivery = item.delivery.empty() ? model::newUuid() : item.delivery;
  return within<bool>(Access::durable_one, [&](Connection& db, bool) {
    return !db.query(
                  "INSERT INTO inbox (repo_id, delivery, headers_json, body, state, note, received_at) "
                  "VALUES ($1, $2, $3, $4, 'new', '', ocelot_now()) ON CONFLICT (repo_id, delivery) DO NOTHING "
                  "RETURNING id",
                  "i", {item.repo_id, delivery, item.headers_json, Bytes{item.body}})
                .empty();
  });
}

std::vector<InboxItem> SqlStore::pendingHooks(int limit, std::int64_t after_id) {
  return within<std::vector<InboxItem>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query(
        "SELECT id, repo_id, delivery, headers_json, body, attempts, state, note, received_at FROM inbox "
        "WHERE state = 'new' AND id > $1 ORDER BY id LIMIT $2",
        "itttbitti", {after_id, limit});
    std::vector<InboxItem> items;
    for (std::size_t row = 0; row < rows.size(); ++row)
      items.push_back({rows.integer(row, 0), rows.text(row, 1), rows.text(row, 2), rows.text(row, 3), rows.text(row, 4),
                       static_cast<int>(rows.integer(row, 5)), rows.text(row, 6), rows.text(row, 7),
                       rows.integer(row, 8)});
    return items;
  });
}

void SqlStore::settleHook(std::int64_t id, const std::string& state, const std::string& note) {
  if (state != "new" && state != "done" && state != "ignored" && state != "parked")
    throw std::invalid_argument("settle hook " + std::to_string(id) + ": \"" + state +
                                "\" is none of new, done, ignored, parked");
  transact(Access::write_one, [&](Connection& db, bool) {
    db.run("UPDATE inbox SET state = $1, note = $2, attempts = attempts + 1 WHERE id = $3",
           {state, cutText(note, kMaxSentence), id});
  });
}

std::vector<Store::NoticeItem> SqlStore::takeNotices(int limit, std::int64_t hide_ms) {
  // Looked for by reading first: an idle installation must not take the write lock every second.
  const bool any = within<bool>(Access::read, [](Connection& db, bool) {
    return !db.query("SELECT id FROM notices WHERE hidden_until <= (SELECT ocelot_now()) LIMIT 1", "i", {}).empty();
  });
  if (!any) return {};
  const std::string take = std::string(
                               "UPDATE notices SET hidden_until = ocelot_now() + CAST($1 AS BIGINT) * (1 << CAST(CASE "
                               "WHEN attempts < 9 THEN attempts ELSE 9 "
                               "END AS INTEGER)), attempts = attempts + 1 WHERE id IN (SELECT id FROM notices WHERE "
                               "hidden_until <= (SELECT ocelot_now()) ORDER BY id LIMIT $2") +
                           dialect().skip_locked + ") RETURNING id, build_id, attempts, told";
  return within<std::vector<NoticeItem>>(Access::write_one, [&](Connection& db, bool) {
    const Rows rows = db.query(take, "itit", {hide_ms * 1000, limit});
    std::vector<NoticeItem> items;
    for (std::size_t row = 0; row < rows.size(); ++row)
      items.push_back(
          {rows.integer(row, 0), rows.text(row, 1), static_cast<int>(rows.integer(row, 2)), rows.text(row, 3)});
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return items;
  });
}

void SqlStore::noteNotice(std::int64_t id, const std::string& told) {
  requireAtMost("notice's note", told, kMaxSentence);
  transact(Access::write_one, [&](Connection& db, bool) {
    db.run("UPDATE notices SET told = $1 WHERE id = $2", {told, id});
  });
}

void SqlStore::settleNotice(std::int64_t id) {
  transact(Access::write_one, [&](Connection& db, bool) { db.run("DELETE FROM notices WHERE id = $1", {id}); });
}

}  // namespace ocelot::store
