// Repos, and the store's clock.

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"

namespace ocelot::store {
namespace {

const char* const kSelect =
    "SELECT id, name, vcs, url, poll_seconds, poll_branches, heads_json, hook_secret_name, added_at, polled_at, "
    "trouble FROM repos";

constexpr const char* kColumns = "ttttitttiit";
constexpr std::size_t kMaxTrouble = 8192;

std::vector<Repo> reposFrom(const Rows& rows) {
  std::vector<Repo> repos;
  for (std::size_t row = 0; row < rows.size(); ++row)
    repos.push_back({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), rows.text(row, 3), rows.integer(row, 4),
                     rows.text(row, 5), rows.text(row, 6), rows.text(row, 7), rows.integer(row, 8),
                     rows.integer(row, 9), rows.text(row, 10)});
  return repos;
}

}  // namespace

Micros SqlStore::now() {
  return within<Micros>(Access::read,
                        [](Connection& db, bool) { return db.query("SELECT ocelot_now()", "i", {}).integer(0, 0); });
}

// Reads a table, so that a database that was never migrated, or is not ours, does not answer "fine".
void SqlStore::ping() {
  transact(Access::read, [](Connection& db, bool) { db.query("SELECT count(*) FROM schema_version", "i", {}); });
}

Repo SqlStore::addRepo(const Repo& repo) {
  requireAtMost("repo's name", repo.name, 1024);
  requireAtMost("repo's URL", repo.url, 8192);
  const std::string id = repo.id.empty() ? model::newUuid() : repo.id;
  return within<Repo>(Access::write, [&](Connection& db, bool) {
    db.run(
        "INSERT INTO repos (id, name, vcs, url, poll_seconds, poll_branches, heads_json, hook_secret_name, added_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, ocelot_now()) ON CONFLICT DO NOTHING",
        {id, repo.name, repo.vcs, repo.url, repo.poll_seconds, repo.poll_branches, repo.heads_json,
         repo.hook_secret_name});
    const auto now_there = reposFrom(db.query(std::string(kSelect) + " WHERE name = $1", kColumns, {repo.name}));
    if (now_there.empty() || now_there.front().id != id)
      throw Conflict("add repo " + repo.name +
                     ": there is a repo of that name already; remove it first, or choose another name");
    return now_there.front();
  });
}

std::optional<Repo> SqlStore::findRepo(std::string_view name) {
  return within<std::optional<Repo>>(Access::read, [&](Connection& db, bool) -> std::optional<Repo> {
    const auto found = reposFrom(db.query(std::string(kSelect) + " WHERE name = $1", kColumns, {name}));
    return found.empty() ? std::nullopt : std::optional(found.front());
  });
}

std::optional<Repo> SqlStore::findRepoById(std::string_view id) {
  return within<std::optional<Repo>>(Access::read, [&](Connection& db, bool) -> std::optional<Repo> {
    const auto found = reposFrom(db.query(std::string(kSelect) + " WHERE id = $1", kColumns, {id}));
    return found.empty() ? std::nullopt : std::optional(found.front());
  });
}

std::vector<Repo> SqlStore::repos() {
  return within<std::vector<Repo>>(Access::read, [](Connection& db, bool) {
    return reposFrom(db.query(std::string(kSelect) + " ORDER BY name", kColumns, {}));
  });
}

void SqlStore::updateRepoPoll(std::string_view id, const std::string& heads_json) {
  requireAtMost("repo's heads", heads_json, kMaxDocument);
  transact(Access::write_one, [&](Connection& db, bool) {
    db.run("UPDATE repos SET heads_json = $1, polled_at = ocelot_now() WHERE id = $2", {heads_json, id});
  });
}

void SqlStore::setRepoTrouble(std::string_view id, const std::string& trouble) {
  requireAtMost("repo's trouble", trouble, kMaxTrouble);
  transact(Access::write_one, [&](Connection& db, bool) {
    db.run("UPDATE repos SET trouble = $1 WHERE id = $2 AND trouble <> $1", {trouble, id});
  });
}

void SqlStore::setRepoPolling(std::string_view id, std::int64_t seconds, const std::string& branches) {
  transact(Access::write_one, [&](Connection& db, bool) {
    db.run("UPDATE repos SET poll_seconds = $1, poll_branches = $2 WHERE id = $3", {seconds, branches, id});
  });
}

bool SqlStore::removeRepo(std::string_view name) {
  return within<bool>(Access::write_one, [&](Connection& db, bool) {
    return !db.query("DELETE FROM repos WHERE name = $1 RETURNING id", "t", {name}).empty();
  });
}

}  // namespace ocelot::store
