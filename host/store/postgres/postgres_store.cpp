#include "host/store/postgres/postgres_store.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>

#include "host/store/sql/builds.hpp"
#include "host/store/sql/migration.hpp"

namespace ocelot::store {
namespace {

constexpr int kTransientRuns = 8;

bool isAnswer(const std::exception& error) {
  return dynamic_cast<const Unavailable*>(&error) != nullptr || dynamic_cast<const Conflict*>(&error) != nullptr ||
         dynamic_cast<const std::logic_error*>(&error) != nullptr;
}

}  // namespace

// A session of the pool: an idle one, or a new one while there may be more, or the next that comes back.
class PostgresStore::Lease {
 public:
  explicit Lease(PostgresStore& store) : store_(store) {
    store_.dropSuperseded();
    std::unique_lock<std::mutex> lock(store_.mutex_);
    if (!store_.returned_.wait_for(lock, store_.pool_wait_,
                                   [&] { return !store_.idle_.empty() || store_.open_ < store_.pool_size_; }))
      throw Unavailable("use PostgreSQL, " + store_.access_.shown() + ": all " + std::to_string(store_.pool_size_) +
                        " connections of this process have been busy for " + std::to_string(store_.pool_wait_.count()) +
                        " ms; raise store.pool (and max_connections of the server with it)");
    generation_ = store_.generation_;
    if (!store_.idle_.empty()) {
      session_ = std::move(store_.idle_.back());
      store_.idle_.pop_back();
      return;
    }
    ++store_.open_;
    lock.unlock();
    try {
      session_ = store_.openSession();
    } catch (...) {
      lock.lock();
      --store_.open_;
      store_.returned_.notify_one();
      throw;
    }
  }
  ~Lease() {
    const bool alive = session_->alive() && !store_.access_.superseded(session_->login());
    const std::lock_guard<std::mutex> lock(store_.mutex_);
    if (alive && generation_ == store_.generation_) {
      store_.idle_.push_back(std::move(session_));
    } else {
      --store_.open_;
    }
    store_.returned_.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  PostgresSession& session() { return *session_; }
  std::uint64_t generation() const { return generation_; }

 private:
  PostgresStore& store_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<PostgresSession> session_;
};

PostgresStore::PostgresStore(const StoreSettings& settings)
    : access_(settings),
      pool_size_(static_cast<std::size_t>(std::clamp(settings.pool_size, 1, 256))),
      pool_wait_(std::clamp(settings.pool_wait_ms, 1, 600'000)) {
  Lease first(*this);  // Unavailable here rather than at the first use
}

PostgresStore::~PostgresStore() = default;

std::string PostgresStore::describe() const {
  return "postgres " + access_.shown() + " (" + shownSchema(schema_, postgresMigrations().size()) + ")";
}

const Dialect& PostgresStore::dialect() const {
  static const Dialect dialect{"= ANY(ARRAY(SELECT json_array_elements_text(CAST(", " AS json))))", " FOR UPDATE",
                               " FOR UPDATE SKIP LOCKED"};
  return dialect;
}

// 0: there is none yet.
std::int64_t PostgresStore::schemaThere() {
  return within<std::int64_t>(Access::read, [](Connection& db, bool) {
    const char* const there = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('schema_version')";
    if (db.query(there, "i", {}).integer(0, 0) == 0) return std::int64_t{0};
    return schemaOf(db);
  });
}

void PostgresStore::migrate() {
  const auto& steps = postgresMigrations();
  const std::string where = "postgres " + access_.shown();
  const std::int64_t wanted = static_cast<std::int64_t>(steps.size());
  // Most daemons find everything done, and may have no right to do it.
  schema_ = schemaThere();
  if (schema_ > wanted) {
    // What a lambda of the transaction throws may be tried again; this is for good.
    std::string refusal;
    transact(Access::read, [&](Connection& db, bool) {
      try {
        olderProgram(where, db, steps);
      } catch (const Unfit& error) {
        refusal = error.what();
      }
    });
    if (!refusal.empty()) throw Unfit(refusal);
  }
  if (schema_ >= wanted) return;
  const char* const may =
      "SELECT count(*) FROM pg_namespace n WHERE n.nspname = current_schema() AND has_schema_privilege(n.oid, "
      "'CREATE') AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = to_regclass('schema_version') AND NOT "
      "pg_has_role(c.relowner, 'USAGE'))";
  if (within<std::int64_t>(Access::read, [&](Connection& db, bool) { return db.query(may, "i", {}).integer(0, 0); }) ==
      0)
    throw Unavailable("bring the schema of PostgreSQL, " + access_.shown() + ", from " + std::to_string(schema_) +
                      " to " + std::to_string(wanted) +
                      ": the role in store.dsn may not change the tables; start ocelot-admin " + OCELOT_VERSION +
                      " once as the owner of the database");
  transact(Access::durable, [&](Connection& db, bool) {
    // The number is this lock's name among all advisory locks of the database: "ocelot" in ASCII.
    db.script(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(122472694050676)");
    // While a step waits for a table, everybody waits behind it; whoever has it may be a pg_dump of hours.
    db.script("SET LOCAL lock_timeout = '2s'");
    applyMigrations(where, db, steps);
    schema_ = schemaOf(db);
  });
}

// After a restart of the server every session would fail once: the idle ones go at the first sign, those in use when
// they come back.
void PostgresStore::connectionWasLost(std::uint64_t generation) {
  std::vector<std::unique_ptr<PostgresSession>> dead;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (generation != generation_) return;  // the same loss, seen by another thread before
  ++interruptions_;
  ++generation_;
  dead.swap(idle_);
  open_ -= dead.size();
  returned_.notify_all();
}

// Sessions of an earlier account are replaced while that still serves: idle ones here, others when they come back.
void PostgresStore::dropSuperseded() {
  if (!access_.changes()) return;
  std::vector<std::unique_ptr<PostgresSession>> old;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto first = std::stable_partition(idle_.begin(), idle_.end(),
                                           [&](const auto& session) { return !access_.superseded(session->login()); });
  std::move(first, idle_.end(), std::back_inserter(old));
  open_ -= old.size();
  idle_.erase(first, idle_.end());
  returned_.notify_all();
}

std::unique_ptr<PostgresSession> PostgresStore::openSession() {
  const auto login = access_.login();
  try {
    return std::make_unique<PostgresSession>(login);
  } catch (const Refused&) {
    // An account that was ended early; with another one it may work.
    if (!access_.doubt(*login)) throw;
  }
  return std::make_unique<PostgresSession>(access_.login());
}

void PostgresStore::transact(Access access, const Body& body) {
  const bool block = access == Access::write || access == Access::durable;
  bool again = false, doubted = false;
  for (int run = 1;; ++run) {
    Lease lease(*this);
    Connection& db = lease.session().db();
    try {
      if (block) db.script("BEGIN");
      body(db, again);
      if (block) db.script("COMMIT");
      return;
    } catch (const std::exception& error) {
      if (!lease.session().alive()) {
        // A commit may have been lost with its answer, so bodies are told. Once: a server that is away stays away.
        connectionWasLost(lease.generation());
        if (isAnswer(error)) throw;
        if (again)
          throw Unavailable("use PostgreSQL, " + access_.shown() +
                            ": the connection was lost twice; is the server restarting?");
        again = true;
        continue;
      }
      if (block) db.script("ROLLBACK");
      if (isAnswer(error)) throw;
      // An account that was ended early has lost its rights, and keeps its sessions.
      if (!doubted && isDenied(error) && access_.doubt(lease.session().login())) {
        doubted = true;
        continue;
      }
      if (!isTransient(error) || run >= kTransientRuns) throwPostgresMeaning(error, lease.session().login());
    }
  }
}

void PostgresStore::tellFollowers(Connection& db, std::string_view build_id) {
  db.query("SELECT " + tellingFollowers("$1"), "i", {build_id});
}

}  // namespace ocelot::store
