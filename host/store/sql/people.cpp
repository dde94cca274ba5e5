// Tokens of people, rows of workers, and the opaque blobs of the secrets stand-in.

#include <algorithm>
#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/sql_store.hpp"

namespace ocelot::store {
namespace {

// A token's last use is written down this often at most: it must not cost a write per request.
constexpr std::int64_t kUseNotedEvery = 60'000'000;
constexpr std::size_t kUsesRemembered = 4096;  // tokens; beyond it, some are noted more often

const char* const kTokenSelect = "SELECT id, name, role, sha256_hex, created_at, last_used_at, expires_at FROM tokens";

Token tokenFrom(const Rows& rows, std::size_t row) {
  return {rows.text(row, 0),    rows.text(row, 1),    rows.text(row, 2),   rows.text(row, 3),
          rows.integer(row, 4), rows.integer(row, 5), rows.integer(row, 6)};
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace

void SqlStore::addToken(const Token& token) {
  if (token.role != "admin" && token.role != "operator" && token.role != "viewer")
    throw std::invalid_argument("add token " + token.name + ": \"" + token.role +
                                "\" is no role; choose admin, operator or viewer");
  requireAtMost("token's name", token.name, 1024);
  transact(Access::write, [&](Connection& db, bool) {
    db.run(
        "INSERT INTO tokens (id, name, role, sha256_hex, created_at, last_used_at, expires_at) "
        "VALUES ($1, $2, $3, $4, ocelot_now(), 0, $5) ON CONFLICT DO NOTHING",
        {token.id, token.name, token.role, token.sha256_hex, token.expires_at});
    if (db.query("SELECT id FROM tokens WHERE id = $1 AND sha256_hex = $2", "t", {token.id, token.sha256_hex}).empty())
      throw Conflict("add token " + token.name + ": there is a token with the same id or value already");
  });
}

std::optional<Token> SqlStore::findToken(std::string_view sha256_hex) {
  Micros now = 0;
  auto token = within<std::optional<Token>>(Access::read, [&](Connection& db, bool) -> std::optional<Token> {
    const Rows rows = db.query(
        "SELECT id, name, role, sha256_hex, created_at, last_used_at, expires_at, ocelot_now() FROM tokens "
        "WHERE sha256_hex = $1 AND (expires_at = 0 OR expires_at > (SELECT ocelot_now()))",
        "ttttiiii", {sha256_hex});
    if (rows.empty()) return std::nullopt;
    now = rows.integer(0, 7);
    return tokenFrom(rows, 0);
  });
  if (token && token->last_used_at + kUseNotedEvery < now) noteUse(*token, now);
  return token;
}

// Whoever asks with a token gets his answer although the disk is full or a backup holds the database: that a use is not
// written down hurts nobody. What failed is not tried again with each request.
void SqlStore::noteUse(const Token& token, Micros now) {
  {
    const std::lock_guard<std::mutex> lock(uses_mutex_);
    if (uses_.size() >= kUsesRemembered) uses_.clear();
    Micros& tried = uses_[token.id];
    if (tried + kUseNotedEvery >= now) return;
    tried = now;
  }
  try {
    transact(Access::aside, [&](Connection& db, bool) {
      db.run("UPDATE tokens SET last_used_at = $1 WHERE id IN (SELECT id FROM tokens WHERE id = $2" +
                 std::string(dialect().skip_locked) + ")",
             {now, token.id});
    });
  } catch (const std::exception&) {
    // The next request that has to write will say what is wrong with the store.
  }
}

std::vector<Token> SqlStore::tokens() {
  return within<std::vector<Token>>(Access::read, [](Connection& db, bool) {
    const Rows rows = db.query(std::string(kTokenSelect) + " ORDER BY created_at, id", "ttttiii", {});
    std::vector<Token> tokens;
    for (std::size_t row = 0; row < rows.size(); ++row) tokens.push_back(tokenFrom(rows, row));
    return tokens;
  });
}

bool SqlStore::revokeToken(std::string_view id) {
  return within<bool>(Access::durable_one, [&](Connection& db, bool) {
    return !db.query("DELETE FROM tokens WHERE id = $1 RETURNING id", "t", {id}).empty();
  });
}

std::vector<WorkerRow> SqlStore::workers() {
  return within<std::vector<WorkerRow>>(Access::read, [](Connection& db, bool) {
    const Rows rows =
        db.query("SELECT id, name, url, tags, slots, version, note, started_at, seen_at FROM workers ORDER BY name, id",
                 "ttttittii", {});
    std::vector<WorkerRow> workers;
    for (std::size_t row = 0; row < rows.size(); ++row)
      workers.push_back({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), split(rows.text(row, 3)),
                         static_cast<int>(rows.integer(row, 4)), rows.text(row, 5), rows.text(row, 6),
                         rows.integer(row, 7), rows.integer(row, 8), "", "", 0});
    return workers;
  });
}

void SqlStore::putBlob(const std::string& name, const std::string& bytes) {
  requireAtMost("blob's name", name, 1024);
  requireAtMost("blob", bytes, 1024 * 1024);
  transact(Access::durable_one, [&](Connection& db, bool) {
    db.run("INSERT INTO blobs (name, bytes) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes",
           {name, Bytes{bytes}});
  });
}

bool SqlStore::addBlob(const std::string& name, const std::string& bytes) {
  requireAtMost("blob's name", name, 1024);
  requireAtMost("blob", bytes, 1024 * 1024);
  return within<bool>(Access::durable_one, [&](Connection& db, bool) {
    return !db.query("INSERT INTO blobs (name, bytes) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING name",
                     "t", {name, Bytes{bytes}})
                .empty();
  });
}

std::optional<std::string> SqlStore::getBlob(const std::string& name) {
  return within<std::optional<std::string>>(Access::read, [&](Connection& db, bool) -> std::optional<std::string> {
    const Rows rows = db.query("SELECT bytes FROM blobs WHERE name = $1", "b", {name});
    return rows.empty() ? std::nullopt : std::optional(rows.text(0, 0));
  });
}

std::vector<std::string> SqlStore::blobNames(const std::string& prefix) {
  return within<std::vector<std::string>>(Access::read, [&](Connection& db, bool) {
    const Rows rows = db.query("SELECT name FROM blobs WHERE name >= $1 ORDER BY name", "t", {prefix});
    std::vector<std::string> names;
    for (std::size_t row = 0; row < rows.size() && rows.text(row, 0).starts_with(prefix); ++row)
      names.push_back(rows.text(row, 0));
    return names;
  });
}

bool SqlStore::removeBlob(const std::string& name) {
  return within<bool>(Access::durable_one, [&](Connection& db, bool) {
    return !db.query("DELETE FROM blobs WHERE name = $1 RETURNING name", "t", {name}).empty();
  });
}

}  // namespace ocelot::store
