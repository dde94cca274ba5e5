#include "host/store/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/migration.hpp"
#include "host/store/sql/text.hpp"
#include "host/store/sqlite/session.hpp"

namespace ocelot::store {
namespace {

constexpr auto kGiveUpAfter = std::chrono::seconds(60);
// A closing chunk up to this size is the whole log of a short build: it is kept in the row's own transaction, without a
// file to make and to flush.
constexpr std::size_t kShortLog = 64 * 1024;

void rollBack(Connection& db) {
  try {
    db.script("ROLLBACK");
  } catch (const std::exception&) {
    // SQLite has rolled back by itself already.
  }
}

}  // namespace

SqliteStore::SqliteStore(const StoreSettings& settings)
    : folder_(settings.path),
      file_(settings.path + "/ocelot.db"),
      max_readers_(static_cast<std::size_t>(std::clamp(settings.pool_size, 1, 64))),
      logs_(settings.path) {
  prepareFolder(folder_);
  lock_ = std::make_unique<FolderLock>(folder_, FolderLock::Mode::shared);
  relaxed_ = openSqlite(file_, SessionKind::relaxed);
}

SqliteStore::~SqliteStore() = default;

std::string SqliteStore::describe() const {
  return "sqlite " + file_ + " (" + shownSchema(schema_, sqliteMigrations().size()) + ")";
}

const Dialect& SqliteStore::dialect() const {
  static const Dialect dialect{"IN (SELECT value FROM json_each(", "))", "", ""};
  return dialect;
}

void SqliteStore::migrate() {
  transact(Access::durable, [&](Connection& db, bool) {
    applyMigrations("sqlite " + file_, db, sqliteMigrations());
    schema_ = schemaOf(db);
  });
}

void SqliteStore::transact(Access access, const Body& body) {
  if (access == Access::read) return read(body);
  if (access == Access::aside) return writeAside(body);
  write(access == Access::durable || access == Access::durable_one, body);
}

void SqliteStore::write(bool durable, const Body& body) {
  const auto give_up = std::chrono::steady_clock::now() + kGiveUpAfter;
  const std::lock_guard<std::mutex> one_writer(writer_mutex_);
  auto& session = durable ? durable_ : relaxed_;
  if (!session) session = openSqlite(file_, durable ? SessionKind::durable : SessionKind::relaxed);
  Connection& db = *session;
  for (;;) {
    bool begun = false;
    try {
      db.script("BEGIN IMMEDIATE");
      begun = true;
      body(db, false);
      db.script("COMMIT");
      return;
    } catch (const Unavailable&) {
      if (begun) rollBack(db);
      throw;
    } catch (const Conflict&) {
      if (begun) rollBack(db);
      throw;
    } catch (const Unfit&) {
      if (begun) rollBack(db);
      throw;
    } catch (const std::logic_error&) {
      if (begun) rollBack(db);
      throw;
    } catch (const std::exception& error) {
      if (begun) rollBack(db);
      // The busy handler has waited already, or SQLite saw a deadlock that only a new start resolves.
      if (!isBusy(error) || std::chrono::steady_clock::now() > give_up) throwMeaning(error, file_);
    }
  }
}

void SqliteStore::writeAside(const Body& body) {
  // Without the writers' mutex: whoever holds that may be waiting for the lock that is not to be waited for here.
  const std::unique_lock<std::mutex> mine(aside_mutex_, std::try_to_lock);
  if (!mine) return;
  try {
    if (!aside_) aside_ = openSqlite(file_, SessionKind::aside);
    aside_->script("BEGIN IMMEDIATE");
    try {
      body(*aside_, false);
      aside_->script("COMMIT");
    } catch (...) {
      rollBack(*aside_);
      throw;
    }
  } catch (const std::exception& error) {
    throwMeaning(error, file_);
  }
}

// A reader of the pool, opened when none is idle and there may be more, waited for otherwise.
class SqliteStore::ReaderLease {
 public:
  explicit ReaderLease(SqliteStore& store) : store_(store) {
    std::unique_lock<std::mutex> lock(store_.readers_mutex_);
    store_.reader_returned_.wait(
        lock, [&] { return !store_.idle_readers_.empty() || store_.readers_ < store_.max_readers_; });
    if (!store_.idle_readers_.empty()) {
      db_ = std::move(store_.idle_readers_.back());
      store_.idle_readers_.pop_back();
      return;
    }
    ++store_.readers_;
    lock.unlock();
    try {
      db_ = openSqlite(store_.file_, SessionKind::reader);
    } catch (...) {
      lock.lock();
      --store_.readers_;
      store_.reader_returned_.notify_one();
      throw;
    }
  }
  ~ReaderLease() {
    const std::lock_guard<std::mutex> lock(store_.readers_mutex_);
    store_.idle_readers_.push_back(std::move(db_));
    store_.reader_returned_.notify_one();
  }
  ReaderLease(const ReaderLease&) = delete;
  ReaderLease& operator=(const ReaderLease&) = delete;
  Connection& db() { return *db_; }

 private:
  SqliteStore& store_;
  std::unique_ptr<Connection> db_;
};

void SqliteStore::read(const Body& body) {
  const auto give_up = std::chrono::steady_clock::now() + kGiveUpAfter;
  ReaderLease reader(*this);
  for (;;) {
    try {
      // One snapshot for all that the body reads.
      reader.db().script("BEGIN");
      body(reader.db(), false);
      reader.db().script("COMMIT");
      return;
    } catch (const Unavailable&) {
      rollBack(reader.db());
      throw;
    } catch (const Conflict&) {
      rollBack(reader.db());
      throw;
    } catch (const std::logic_error&) {
      rollBack(reader.db());
      throw;
    } catch (const std::exception& error) {
      rollBack(reader.db());
      if (!isBusy(error) || std::chrono::steady_clock::now() > give_up) throwMeaning(error, file_);
    }
  }
}

std::optional<std::int64_t> SqliteStore::appendLog(const Claim& claim, std::int64_t offset, std::string_view bytes) {
  requireAtMost("log chunk", bytes, kMaxLogChunk);
  std::optional<std::int64_t> size;
  write(false, [&](Connection& db, bool) {
    size.reset();
    const Rows held =
        db.query("SELECT fence, log_bytes FROM builds WHERE id = $1 AND claim_id = $2 AND state = 'running'", "ii",
                 {claim.build_id, claim.claim_id});
    if (held.empty()) return;
    size = held.integer(0, 1);
    if (offset != *size || bytes.empty()) return;
    // Under the write lock: nobody else's claim can be checked, and nobody else can append, until this is committed.
    size = logs_.append(claim.build_id, held.integer(0, 0), *size, bytes);
    db.run("UPDATE builds SET log_bytes = $1 WHERE id = $2", {*size, claim.build_id});
  });
  return size;
}

void SqliteStore::appendTail(Connection& db, const std::string& build_id, std::int64_t fence, std::int64_t offset,
                             std::string_view tail) {
  if (offset == 0 && tail.size() <= kShortLog) {
    db.run("INSERT INTO short_logs (build_id, bytes) VALUES ($1, $2)", {build_id, Bytes{tail}});
    return;
  }
  const std::int64_t size = logs_.append(build_id, fence, offset, tail);
  if (size != offset + static_cast<std::int64_t>(tail.size()))
    throw Conflict("seal the log of build " + build_id + ": its file has " + std::to_string(size) +
                   " bytes and the database " + std::to_string(offset) + "; append the rest again");
  logs_.sync(build_id, fence);
}

std::string SqliteStore::readLog(std::string_view build_id, std::int64_t offset, std::size_t max_bytes) {
  std::int64_t fence = 0, size = 0;
  std::optional<std::string> whole;
  read([&](Connection& db, bool) {
    size = 0;
    whole.reset();
    const Rows rows = db.query("SELECT fence, log_bytes FROM builds WHERE id = $1", "ii", {build_id});
    if (rows.empty()) return;
    fence = rows.integer(0, 0);
    size = rows.integer(0, 1);
    if (size == 0 || size > static_cast<std::int64_t>(kShortLog)) return;
    const Rows bytes = db.query("SELECT bytes FROM short_logs WHERE build_id = $1", "b", {build_id});
    if (!bytes.empty()) whole = bytes.text(0, 0);
  });
  if (offset < 0 || offset >= size) return {};
  if (whole) return whole->substr(std::min(static_cast<std::size_t>(offset), whole->size()), max_bytes);
  return logs_.read(std::string(build_id), fence, offset, size, max_bytes);
}

void SqliteStore::markLogDead(Connection& db, const std::string& build_id, std::int64_t fence) {
  for (std::int64_t each = 1; each <= fence; ++each)
    db.run("INSERT INTO dead_logs (build_id, fence) VALUES ($1, $2) ON CONFLICT DO NOTHING", {build_id, each});
}

void SqliteStore::removeDeadLogs() {
  std::vector<std::pair<std::string, std::int64_t>> dead;
  read([&](Connection& db, bool) {
    dead.clear();
    const Rows rows = db.query("SELECT build_id, fence FROM dead_logs LIMIT 10000", "ti", {});
    for (std::size_t row = 0; row < rows.size(); ++row) dead.emplace_back(rows.text(row, 0), rows.integer(row, 1));
  });
  if (dead.empty()) return;
  for (const auto& [build_id, fence] : dead) logs_.remove(build_id, fence);
  write(false, [&](Connection& db, bool) {
    for (const auto& [build_id, fence] : dead)
      db.run("DELETE FROM dead_logs WHERE build_id = $1 AND fence = $2", {build_id, fence});
  });
}

}  // namespace ocelot::store
