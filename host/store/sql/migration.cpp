#include "host/store/sql/migration.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace ocelot::store {
namespace {

// The first step that says which programs it leaves behind; before it, all of them.
constexpr std::int64_t kFirstThatSays = 7;
constexpr std::string_view kMark = "-- ocelot: ", kExpand = "expand", kContract = "contract ";

struct Newest {
  std::int64_t version = 0;  // 0: there is none yet
  std::string program;
  std::int64_t works_from = 0;
};

Newest newestOf(Connection& db) {
  const Rows any = db.query("SELECT COALESCE(MAX(version), 0) FROM schema_version", "i", {});
  Newest newest{any.integer(0, 0), "", any.integer(0, 0)};
  if (newest.version < kFirstThatSays) return newest;
  const Rows row = db.query("SELECT program, works_from FROM schema_version ORDER BY version DESC LIMIT 1", "ti", {});
  newest.program = row.text(0, 0);
  if (row.integer(0, 1) > 0) newest.works_from = row.integer(0, 1);
  return newest;
}

std::string refusal(const std::string& where, const Newest& newest, std::size_t known) {
  return "open " + where + ": it has schema " + std::to_string(newest.version) + " of ocelot " + newest.program +
         ", for programs that know schema " + std::to_string(newest.works_from) +
         " or later, and ocelot " OCELOT_VERSION " knows schemas up to " + std::to_string(known) +
         ": start the newer ocelot that wrote it, or restore a backup made before that one was started";
}

}  // namespace

std::int64_t worksFrom(const Migration& step, std::int64_t version, std::int64_t before) {
  if (version < kFirstThatSays) return version;
  std::string_view line = step.sql;
  line = line.substr(0, line.find('\n'));
  if (line.starts_with(kMark)) {
    line.remove_prefix(kMark.size());
    if (line == kExpand) return before;
    std::int64_t from = 0;
    const std::string_view number = line.substr(std::min(kContract.size(), line.size()));
    const auto end = std::from_chars(number.data(), number.data() + number.size(), from);
    if (line.starts_with(kContract) && end.ec == std::errc() && end.ptr == number.data() + number.size() &&
        from >= before && from <= version)
      return from;
  }
  throw std::logic_error(
      std::string("migration ") + step.name +
      ": its first line is neither \"-- ocelot: expand\" nor \"-- ocelot: contract N\", with N from " +
      std::to_string(before) + " to " + std::to_string(version));
}

bool olderProgram(const std::string& where, Connection& db, const std::vector<Migration>& steps) {
  const Newest newest = newestOf(db);
  if (newest.version <= static_cast<std::int64_t>(steps.size())) return false;
  if (newest.works_from > static_cast<std::int64_t>(steps.size())) throw Unfit(refusal(where, newest, steps.size()));
  return true;
}

void applyMigrations(const std::string& where, Connection& db, const std::vector<Migration>& steps) {
  db.script(
      "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, program TEXT NOT NULL, "
      "applied_at BIGINT NOT NULL)");
  if (olderProgram(where, db, steps)) return;
  Newest there = newestOf(db);
  for (std::int64_t version = there.version + 1; version <= static_cast<std::int64_t>(steps.size()); ++version) {
    const Migration& step = steps[static_cast<std::size_t>(version - 1)];
    db.script(step.sql);
    db.run("INSERT INTO schema_version (version, program, applied_at) VALUES ($1, $2, ocelot_now())",
           {version, std::string_view(OCELOT_VERSION)});
    there.works_from = worksFrom(step, version, there.works_from);
    if (version >= kFirstThatSays)
      db.run("UPDATE schema_version SET works_from = $1 WHERE version = $2", {there.works_from, version});
  }
}

std::string shownSchema(std::int64_t there, std::size_t known) {
  if (there <= static_cast<std::int64_t>(known)) return "schema " + std::to_string(known);
  return "schema " + std::to_string(there) + ", of which this program knows " + std::to_string(known);
}

std::int64_t schemaOf(Connection& db) { return newestOf(db).version; }

}  // namespace ocelot::store
