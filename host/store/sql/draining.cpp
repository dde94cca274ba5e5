// Workers that a person asked to take no new builds.

#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"

namespace ocelot::store {
namespace {

constexpr std::size_t kLongestDrainText = 1024;

Drain drainFrom(const Rows& rows, std::size_t row) {
  return {rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), rows.integer(row, 3)};
}

}  // namespace

Drain SqlStore::drainWorker(const Drain& wanted) {
  if (wanted.worker_id.empty()) throw std::invalid_argument("drain a worker: it has no id");
  for (const std::string* text : {&wanted.worker_id, &wanted.name, &wanted.by})
    requireAtMost("drained worker's text", *text, kLongestDrainText);
  return within<Drain>(Access::durable, [&](Connection& db, bool) {
    db.run(
        "INSERT INTO drains (worker, name, asked_by, asked_at) VALUES ($1, $2, $3, ocelot_now()) "
        "ON CONFLICT (worker) DO NOTHING",
        {wanted.worker_id, wanted.name, wanted.by});
    const Rows rows =
        db.query("SELECT worker, name, asked_by, asked_at FROM drains WHERE worker = $1", "ttti", {wanted.worker_id});
    if (rows.empty()) throw Conflict("drain worker " + wanted.name + ": it was undone at the same moment");
    return drainFrom(rows, 0);
  });
}

bool SqlStore::undrainWorker(std::string_view worker_id) {
  return within<bool>(Access::durable_one, [&](Connection& db, bool) {
    return !db.query("DELETE FROM drains WHERE worker = $1 RETURNING worker", "t", {worker_id}).empty();
  });
}

std::vector<Drain> SqlStore::drains() {
  return within<std::vector<Drain>>(Access::read, [](Connection& db, bool) {
    const Rows rows = db.query("SELECT worker, name, asked_by, asked_at FROM drains ORDER BY name, worker", "ttti", {});
    std::vector<Drain> drains;
    for (std::size_t row = 0; row < rows.size(); ++row) drains.push_back(drainFrom(rows, row));
    return drains;
  });
}

}  // namespace ocelot::store
