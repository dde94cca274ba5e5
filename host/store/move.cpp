#include "host/store/move.hpp"

#include <poll.h>

#include <array>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <vector>

#include "host/digest/digest.hpp"
#include "host/store/postgres/log_parts.hpp"
#include "host/store/postgres/postgres_store.hpp"
#include "host/store/sqlite/connection.hpp"
#include "host/store/sqlite/session.hpp"
#include "host/store/sqlite/sqlite_store.hpp"

namespace ocelot::store {
namespace {

constexpr std::int64_t kBatch = 100;           // rows of a transaction
constexpr std::size_t kLogPart = 1u << 20;     // bytes of one
constexpr std::int64_t kPartAsked = 16 << 20;  // bytes of logs after which it is asked whether their part is full
constexpr std::int64_t kToldEvery = 100'000;   // rows
constexpr int kLooks = 40, kLookEveryMs = 50;
const char* const kMark = ".moved-from";  // a blob of the target; no secret can have that name
// Its name among the advisory locks: "oc-move" in ASCII.
const char* const kLock = "SELECT CAST(CAST(pg_try_advisory_lock(31352769175582309) AS int) AS bigint)";

struct Table {
  const char* name;
  const char* columns;
  const char* types;  // i, t or b for each
  int keys;           // so many of the columns, from the first, are the primary key
  bool numbered;      // the key is given by the engine
};

// In an order in which nothing is named before it is there.
constexpr std::array<Table, 9> kTables{{
    {"repos",
     "id, name, vcs, url, poll_seconds, poll_branches, heads_json, hook_secret_name, added_at, polled_at, trouble",
     "ttttitttiit", 1, false},
    {"builds",
     "number, id, repo, branch, commit_id, author, message, trigger_kind, requested_by, rerun_of, state, reason, "
     "sentence, machine_tag, priority, pipeline, change_json, attempt, fence, claim_id, worker, lease_until, "
     "log_bytes, "
     "log_sha256, queued_at, started_at, finished_at, cancel_requested, cancel_by, dedupe_key",
     "itttttttttttttittiittiitiiiitt", 1, true},
    {"stages",
     "build_id, idx, name, state, exit_code, sentence, started_at, finished_at, cpu_us, max_rss_bytes, log_begin, "
     "log_end, line",
     "tittitiiiiiii", 2, false},
    {"outbox", "id, topic", "it", 1, true},
    {"notices", "id, build_id, attempts, hidden_until, told", "itiit", 1, true},
    {"inbox", "id, repo_id, delivery, headers_json, body, attempts, state, note, received_at", "itttbitti", 1, true},
    {"tokens", "id, name, role, sha256_hex, created_at, last_used_at, expires_at", "ttttiii", 1, false},
    {"audit", "id, at, token_id, actor, peer, action, object, status", "iittttti", 1, true},
    {"drains", "worker, name, asked_by, asked_at", "ttti", 1, false},
}};

std::vector<std::string> namesOf(const Table& table) {
  std::vector<std::string> names(1);
  for (const char* at = table.columns; *at; ++at) {
    if (*at == ',') {
      names.emplace_back();
    } else if (*at != ' ') {
      names.back() += *at;
    }
  }
  return names;
}

using Values = std::vector<std::variant<std::int64_t, std::string>>;

Param paramOf(const std::variant<std::int64_t, std::string>& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  return std::string_view(std::get<std::string>(value));
}

// A table by pages, in the order of its key, which is the same on both engines.
class Pages {
 public:
  Pages(Connection& db, const Table& table, bool postgres) : db_(db), table_(table) {
    const auto names = namesOf(table);
    std::string keys, order, marks;
    for (int i = 0; i < table.keys; ++i) {
      const bool text = table.types[i] == 't';
      const std::string comma = i ? ", " : "";
      const std::string key = names[static_cast<std::size_t>(i)] + (text && postgres ? " COLLATE \"C\"" : "");
      keys += comma + key;
      order += comma + key;
      marks += comma + "$" + std::to_string(i + 1);
      if (text) {
        last_.emplace_back(std::string());
      } else {
        last_.emplace_back(std::int64_t{-1});
      }
    }
    sql_ = std::string("SELECT ") + table.columns + " FROM " + table.name + " WHERE (" + keys + ") > (" + marks +
           ") ORDER BY " + order + " LIMIT " + std::to_string(kBatch);
  }

  void from(Values last) { last_ = std::move(last); }

  // Empty: there are no more.
  Rows next() {
    std::vector<Param> params;
    for (const auto& value : last_) params.push_back(paramOf(value));
    Rows rows = db_.query(sql_, table_.types, params);
    if (!rows.empty())
      for (std::size_t i = 0; i < last_.size(); ++i) {
        if (table_.types[i] == 'i') {
          last_[i] = rows.integer(rows.size() - 1, i);
        } else {
          last_[i] = rows.text(rows.size() - 1, i);
        }
      }
    return rows;
  }

 private:
  Connection& db_;
  const Table& table_;
  std::string sql_;
  Values last_;
};

// What all rows of a table come to: a digest of digests, a page each.
struct Sum {
  std::int64_t rows = 0;
  std::string digest;
};

Sum sumOf(Connection& db, const Table& table, bool postgres) {
  Sum sum;
  Pages pages(db, table, postgres);
  const std::size_t columns = std::char_traits<char>::length(table.types);
  for (Rows rows = pages.next(); !rows.empty(); rows = pages.next()) {
    std::string text = sum.digest;
    for (std::size_t row = 0; row < rows.size(); ++row)
      for (std::size_t column = 0; column < columns; ++column) {
        const std::string value =
            table.types[column] == 'i' ? std::to_string(rows.integer(row, column)) : rows.text(row, column);
        text += std::to_string(value.size()) + ":" + value;
      }
    sum.digest = digest::sha256Hex(text);
    sum.rows += static_cast<std::int64_t>(rows.size());
  }
  return sum;
}

class Move {
 public:
  Move(const StoreSettings& from, const StoreSettings& to, const std::function<void(const std::string&)>& told)
      : folder_(from.path),
        logs_(from.path),
        access_(to),
        told_(told),
        source_(openSqlite(from.path + "/ocelot.db", SessionKind::reader)),
        session_(access_.login()),
        target_(session_.db()) {}

  MoveReport run() {
    target_.script("SET statement_timeout = 0");
    if (target_.query(kLock, "i", {}).integer(0, 0) != 1) throw busyTarget("another `ocelot migrate` fills it");
    requireTargetAlone();
    told_("reading " + folder_);
    const std::string source_mark = markOfSource();
    begin(source_mark);
    if (!report_.complete) {
      for (const Table& table : kTables) copyRows(table);
      copyLogs();
      for (const Table& table : kTables)
        if (table.numbered) goOnCounting(table);
    }
    compareRows();
    compareLogs();
    requireTargetAlone();
    mark("complete " + source_mark);
    return std::move(report_);
  }

 private:
  Conflict busyTarget(const std::string& why) const {
    return Conflict("fill PostgreSQL, " + access_.shown() + ": " + why);
  }

  void requireTargetAlone() {
    std::int64_t others = 0;
    // A connection that was closed a moment ago, as our own for the schema, is shown a little longer.
    for (int look = 0; look < kLooks; ++look) {
      // Of other roles the program's name is hidden: whoever that is counts.
      others = target_
                   .query(
                       "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND pid <> pg_backend_pid() AND COALESCE(application_name, 'ocelot') = 'ocelot'",
                       "i", {})
                   .integer(0, 0);
      if (others == 0) return;
      ::poll(nullptr, 0, kLookEveryMs);
    }
    throw busyTarget(std::to_string(others) + " connections of ocelot are open; stop every daemon that uses it");
  }

  // Changes when anything at the source does.
  std::string markOfSource() {
    std::string all;
    for (const Table& table : kTables) {
      const Sum sum = sumOf(*source_, table, false);
      sums_.push_back(sum);
      report_.rows += sum.rows;
      if (std::string(table.name) == "builds") report_.builds = sum.rows;
      all += std::string(table.name) + " " + std::to_string(sum.rows) + " " + sum.digest + "\n";
    }
    return digest::sha256Hex(all);
  }

  void begin(const std::string& source_mark) {
    const Rows found = target_.query("SELECT bytes FROM blobs WHERE name = $1", "b", {std::string_view(kMark)});
    const std::string mark_there = found.empty() ? "" : found.text(0, 0);
    if (mark_there == "complete " + source_mark) {
      report_.complete = true;
      return;
    }
    if (mark_there == "begun " + source_mark) {
      report_.resumed = true;
      told_("going on where an earlier copy broke off");
      return;
    }
    if (mark_there.starts_with("complete "))
      throw Conflict("fill PostgreSQL, " + access_.shown() +
                     ": a store was copied into it before, and the source is another one, or has changed since; " +
                     "choose an empty database");
    if (mark_there.empty()) {
      for (const Table& table : kTables)
        if (!target_.query(std::string("SELECT CAST(1 AS bigint) FROM ") + table.name + " LIMIT 1", "i", {}).empty())
          throw Conflict("fill PostgreSQL, " + access_.shown() + ": there are " + table.name +
                         " in it already; choose an empty database");
    } else {
      // The source has changed since that copy broke off: nobody has used it, so it goes.
      told_("the source has changed since an earlier copy broke off; beginning anew");
      inOne([&] {
        target_.run("DELETE FROM log_chunks", {});
        for (auto table = kTables.rbegin(); table != kTables.rend(); ++table)
          target_.run(std::string("DELETE FROM ") + table->name, {});
      });
    }
    mark("begun " + source_mark);
  }

  void mark(const std::string& text) {
    target_.run(
        "INSERT INTO blobs (name, bytes) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes",
        {std::string_view(kMark), Bytes{text}});
  }

  template <typename Action>
  void inOne(const Action& action) {
    target_.script("BEGIN");
    try {
      action();
    } catch (...) {
      if (session_.alive()) target_.script("ROLLBACK");
      throw;
    }
    target_.script("COMMIT");
  }

  // What is there already of this table was put in the order of the key.
  void copyRows(const Table& table) {
    const auto names = namesOf(table);
    std::string keys, marks;
    for (int i = 0; i < table.keys; ++i) keys += (i ? ", " : "") + names[static_cast<std::size_t>(i)];
    for (std::size_t i = 0; i < names.size(); ++i) marks += (i ? ", $" : "$") + std::to_string(i + 1);
    const std::string insert = std::string("INSERT INTO ") + table.name + " (" + table.columns + ") " +
                               (table.numbered ? "OVERRIDING SYSTEM VALUE " : "") + "VALUES (" + marks + ")";
    Pages pages(*source_, table, false);
    pages.from(lastOf(table, names));
    std::int64_t copied = 0;
    for (Rows rows = pages.next(); !rows.empty(); rows = pages.next()) {
      inOne([&] {
        for (std::size_t row = 0; row < rows.size(); ++row) {
          std::vector<Param> params;
          for (std::size_t column = 0; column < names.size(); ++column) {
            if (table.types[column] == 'i') {
              params.emplace_back(rows.integer(row, column));
            } else if (table.types[column] == 'b') {
              params.emplace_back(Bytes{rows.text(row, column)});
            } else {
              params.emplace_back(std::string_view(rows.text(row, column)));
            }
          }
          target_.run(insert, params);
        }
      });
      const std::int64_t before = copied;
      copied += static_cast<std::int64_t>(rows.size());
      if (before / kToldEvery != copied / kToldEvery) told_(std::to_string(copied) + " " + table.name);
    }
  }

  Values lastOf(const Table& table, const std::vector<std::string>& names) {
    std::string columns, order;
    for (int i = 0; i < table.keys; ++i) {
      const std::string& name = names[static_cast<std::size_t>(i)];
      columns += (i ? ", " : "") + name;
      order += (i ? ", " : "") + name + (table.types[i] == 't' ? " COLLATE \"C\"" : "") + " DESC";
    }
    const std::string types(table.types, static_cast<std::size_t>(table.keys));
    const Rows last = target_.query("SELECT " + columns + " FROM " + table.name + " ORDER BY " + order + " LIMIT 1",
                                    types.c_str(), {});
    Values values;
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i] == 'i') {
        values.emplace_back(last.empty() ? std::int64_t{-1} : last.integer(0, i));
      } else {
        values.emplace_back(last.empty() ? std::string() : last.text(0, i));
      }
    }
    return values;
  }

  // A number is never given twice, not even one whose row was removed.
  void goOnCounting(const Table& table) {
    const Rows last =
        source_->query("SELECT seq FROM sqlite_sequence WHERE name = $1", "i", {std::string_view(table.name)});
    if (last.empty() || last.integer(0, 0) < 1) return;
    const std::string key = namesOf(table).front();
    target_.query("SELECT setval(pg_get_serial_sequence('" + std::string(table.name) + "', '" + key + "'), $1)", "i",
                  {last.integer(0, 0)});
  }

  struct Log {
    std::string build_id;
    std::int64_t number = 0, fence = 0, size = 0;
    std::string sha256;
  };

  void eachLog(const std::function<void(const Log&)>& action) {
    for (std::int64_t number = -1;;) {
      const Rows rows = source_->query(
          "SELECT number, id, fence, log_bytes, log_sha256 FROM builds WHERE number > $1 AND log_bytes > 0 "
          "ORDER BY number LIMIT 500",
          "itiit", {number});
      if (rows.empty()) return;
      for (std::size_t row = 0; row < rows.size(); ++row) {
        number = rows.integer(row, 0);
        action({rows.text(row, 1), number, rows.integer(row, 2), rows.integer(row, 3), rows.text(row, 4)});
      }
    }
  }

  // Of a log in the source, from `offset`.
  std::string readSource(const Log& log, std::int64_t offset) {
    const Rows whole = source_->query("SELECT bytes FROM short_logs WHERE build_id = $1", "b", {log.build_id});
    std::string part = whole.empty() ? logs_.read(log.build_id, log.fence, offset, log.size, kLogPart)
                                     : whole.text(0, 0).substr(static_cast<std::size_t>(offset), kLogPart);
    if (part.empty())
      throw Conflict("read the log of build #" + std::to_string(log.number) + ": " + folder_ + " holds " +
                     std::to_string(offset) + " of its " + std::to_string(log.size) +
                     " bytes; restore its logs from a backup, or remove that build");
    return part;
  }

  void copyLogs() {
    std::int64_t copied = 0, part = openLogPart(target_);
    eachLog([&](const Log& log) {
      std::int64_t at = 0;
      const auto in = [&](std::int64_t its_part) {
        at = target_
                 .query(
                     "SELECT COALESCE(MAX(end_offset), 0) FROM log_chunks WHERE part = $1 AND build_id = $2 AND fence "
                     "= $3",
                     "i", {its_part, log.build_id, log.fence})
                 .integer(0, 0);
        return at > 0;
      };
      std::int64_t its = partOf(log);
      if (!in(its) && its != part) {
        its = part;
        target_.run("UPDATE builds SET log_part = $1 WHERE id = $2", {its, log.build_id});
      }
      while (at < log.size) {
        const std::string bytes = readSource(log, at);
        const std::int64_t end = at + static_cast<std::int64_t>(bytes.size());
        target_.run(
            "INSERT INTO log_chunks (part, build_id, fence, begin_offset, end_offset, bytes) VALUES ($1, $2, $3, $4, "
            "$5, $6)",
            {its, log.build_id, log.fence, at, end, Bytes{bytes}});
        at = end;
      }
      const std::int64_t before = copied;
      copied += log.size;
      if (before / kPartAsked != copied / kPartAsked) part = openLogPart(target_);
      if (before >> 30 != copied >> 30) told_(std::to_string(copied >> 30) + " GiB of logs");
    });
  }

  std::int64_t partOf(const Log& log) {
    const Rows rows = target_.query("SELECT log_part FROM builds WHERE id = $1", "i", {log.build_id});
    return rows.empty() ? 0 : rows.integer(0, 0);
  }

  void compareRows() {
    for (std::size_t i = 0; i < kTables.size(); ++i) {
      const Sum sum = sumOf(target_, kTables[i], true);
      if (sum.rows == sums_[i].rows && sum.digest == sums_[i].digest) continue;
      throw Conflict("compare " + std::string(kTables[i].name) + " in PostgreSQL, " + access_.shown() + ", with " +
                     folder_ + ": " + std::to_string(sum.rows) + " and " + std::to_string(sums_[i].rows) +
                     " rows, not the same; was it used since? Choose an empty database and begin again");
    }
  }

  void compareLogs() {
    eachLog([&](const Log& log) {
      digest::Sha256 here, there;
      for (std::int64_t at = 0; at < log.size;) {
        const std::string part = readSource(log, at);
        here.add(part);
        at += static_cast<std::int64_t>(part.size());
      }
      const std::int64_t part = partOf(log);
      std::int64_t end = 0;
      while (true) {
        const Rows chunk = target_.query(
            "SELECT end_offset, bytes FROM log_chunks WHERE part = $1 AND build_id = $2 AND fence = $3 AND "
            "end_offset > $4 ORDER BY end_offset LIMIT 1",
            "ib", {part, log.build_id, log.fence, end});
        if (chunk.empty()) break;
        end = chunk.integer(0, 0);
        there.add(chunk.text(0, 1));
      }
      const std::string digest = here.hex();
      if (end != log.size || digest != there.hex())
        throw Conflict("compare the log of build #" + std::to_string(log.number) + ": PostgreSQL has " +
                       std::to_string(end) + " bytes of " + std::to_string(log.size) +
                       ", or others; choose an empty database and begin again");
      if (!log.sha256.empty() && log.sha256 != digest) report_.damaged.push_back("#" + std::to_string(log.number));
      report_.log_bytes += log.size;
    });
  }

  const std::string folder_;
  const LogSegments logs_;
  PostgresAccess access_;
  const std::function<void(const std::string&)>& told_;
  const std::unique_ptr<Connection> source_;
  PostgresSession session_;
  Connection& target_;
  std::vector<Sum> sums_;  // of the source, by table
  MoveReport report_;
};

std::unique_ptr<FolderLock> alone(const std::string& folder) {
  try {
    return std::make_unique<FolderLock>(folder, FolderLock::Mode::exclusive);
  } catch (const Conflict&) {
    throw Conflict("copy the store in " + folder + ": an ocelot program has it open; stop it first (`ocelot down`)");
  }
}

}  // namespace

MoveReport moveToPostgres(const StoreSettings& from, const StoreSettings& to,
                          const std::function<void(const std::string&)>& told) {
  if (from.kind != "sqlite")
    throw std::invalid_argument("copy the store: the source is kept by " + from.kind +
                                "; only SQLite's is copied here");
  if (to.kind != "postgres")
    throw std::invalid_argument("copy the store: the target is kept by " + to.kind +
                                "; set store.kind: postgres in its server.yaml");
  if (!std::filesystem::exists(from.path + "/ocelot.db"))
    throw std::invalid_argument("copy the store in " + from.path + ": there is no ocelot.db in it");
  alone(from.path);
  SqliteStore(from).migrate();
  PostgresStore(to).migrate();
  const auto lock = alone(from.path);
  try {
    return Move(from, to, told).run();
  } catch (const Conflict&) {
    throw;
  } catch (const Unavailable&) {
    throw;
  } catch (const std::invalid_argument&) {
    throw;
  } catch (const SqliteError& error) {
    throwMeaning(error, from.path + "/ocelot.db");
  } catch (const std::exception& error) {
    throwPostgresMeaning(error, *PostgresAccess(to).login());
  }
}

}  // namespace ocelot::store
