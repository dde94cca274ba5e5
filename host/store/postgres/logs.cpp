// Reading a log: from the one partition that has it.

#include "host/store/postgres/postgres_store.hpp"

namespace ocelot::store {
namespace {

constexpr std::size_t kChunks = 16;  // at a time: they are fetched whole

struct Place {
  std::int64_t fence = 0, part = 0, size = 0;
  bool sameAs(const Place& other) const { return fence == other.fence && part == other.part; }
};

std::optional<Place> placeOf(Connection& db, std::string_view build_id) {
  const Rows rows = db.query("SELECT fence, log_part, log_bytes FROM builds WHERE id = $1", "iii", {build_id});
  if (rows.empty()) return std::nullopt;
  return Place{rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2)};
}

}  // namespace

std::string PostgresStore::readLog(std::string_view build_id, std::int64_t offset, std::size_t max_bytes) {
  if (offset < 0 || max_bytes == 0) return {};
  const auto find = [&] {
    return within<std::optional<Place>>(Access::read, [&](Connection& db, bool) { return placeOf(db, build_id); });
  };
  // The part is a parameter of its own, by which all others are left out before they are locked.
  static const std::string sql =
      "SELECT begin_offset, bytes FROM log_chunks WHERE part = $1 AND build_id = $2 AND fence = $3 AND end_offset > $4 "
      "ORDER BY end_offset LIMIT " +
      std::to_string(kChunks);
  std::string out;
  std::optional<Place> place = find();
  while (place && out.size() < max_bytes) {
    const std::int64_t from = offset + static_cast<std::int64_t>(out.size());
    if (from >= place->size) break;
    const Rows rows = within<std::optional<Rows>>(Access::read, [&](Connection& db, bool) -> std::optional<Rows> {
                        return db.query(sql, "ib", {place->part, build_id, place->fence, from});
                      }).value();
    for (std::size_t row = 0; row < rows.size() && out.size() < max_bytes; ++row) {
      const auto skip = static_cast<std::size_t>(offset + static_cast<std::int64_t>(out.size()) - rows.integer(row, 0));
      out.append(rows.text(row, 1), skip, max_bytes - out.size());
    }
    if (rows.size() == kChunks) continue;
    if (!rows.empty()) break;
    // It was moved to another part meanwhile, or a new attempt began: of two, one is read.
    const auto now = find();
    if (!now || now->sameAs(*place) || (now->fence != place->fence && !out.empty())) break;
    place = now;
  }
  return out;
}

}  // namespace ocelot::store
