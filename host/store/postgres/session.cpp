#include "host/store/postgres/session.hpp"

#include <Poco/Any.h>
#include <Poco/Data/PostgreSQL/Connector.h>
#include <Poco/Data/PostgreSQL/PostgreSQLException.h>
#include <Poco/Data/PostgreSQL/SessionHandle.h>
#include <Poco/Data/Session.h>
#include <libpq-fe.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "host/store/postgres/connection.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

namespace pg = Poco::Data::PostgreSQL;

// What PQexec said.
class ScriptError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void run(PGconn* connection, const char* sql) {
  PGresult* result = PQexec(connection, sql);
  const ExecStatusType status = PQresultStatus(result);
  PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw ScriptError(PQerrorMessage(connection));
}

void ignoreNotice(void*, const char*) {}

// Poco keeps the SQLSTATE of some errors only, and inside its text: sessions ask libpq for verbose messages instead,
// "ERROR:  23505: duplicate key …", of which the first line is what the server has to say.
struct Said {
  std::string state;  // "" when it was not the server that spoke
  std::string sentence;
};

Said saidBy(const std::exception& error) {
  const auto* poco = dynamic_cast<const Poco::Exception*>(&error);
  std::string text = poco ? poco->message() : error.what();
  for (const std::string severity : {"ERROR:  ", "FATAL:  ", "PANIC:  "}) {
    const auto at = text.find(severity);
    if (at == std::string::npos) continue;
    text = text.substr(at + severity.size());
    text.resize(std::min(text.find('\n'), text.size()));
    if (text.size() > 7 && text.compare(5, 2, ": ") == 0) return {text.substr(0, 5), text.substr(7)};
    return {"", text};  // while connecting, messages are not verbose yet
  }
  for (const std::string prefix : {"[PostgreSQL]: ", "Connection Error: "})
    if (const auto at = text.find(prefix); at != std::string::npos) text.erase(0, at + prefix.size());
  text.resize(std::min(text.find('\n'), text.size()));
  return {"", text};
}

// Connects once by libpq alone. Poco 1.11 leaks each connection that it could not open, and a daemon tries for as long
// as the server is away; a new session is rare enough to pay for this.
void probe(const PostgresLogin& login) {
  PGconn* connection = PQconnectdb(login.connectionString().c_str());
  const bool opened = PQstatus(connection) == CONNECTION_OK;
  const std::string why = PQerrorMessage(connection);
  PQfinish(connection);
  if (!opened) throw ScriptError(why);
}

}  // namespace

struct PostgresSession::Handle {
  PGconn* raw = nullptr;
};

PostgresSession::PostgresSession(std::shared_ptr<const PostgresLogin> login)
    : login_(std::move(login)), handle_(std::make_unique<Handle>()) {
  static std::once_flag registered;
  std::call_once(registered, [] { pg::Connector::registerConnector(); });
  try {
    probe(*login_);
    auto session = std::make_unique<Poco::Data::Session>(pg::Connector::KEY, login_->connectionString(), 5);
    PGconn* raw = *Poco::AnyCast<pg::SessionHandle*>(session->getProperty("handle"));
    handle_->raw = raw;
    // Notices ("table exists, skipping") are not for our standard error.
    PQsetNoticeProcessor(raw, ignoreNotice, nullptr);
    PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);
    db_ = std::make_unique<PostgresConnection>(std::move(session), [raw](const char* sql) { run(raw, sql); });
    // A transaction that a stopped process holds open must not block everybody's forever.
    db_->script(
        "SET statement_timeout = '30s'; SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '60s'; "
        "SET standard_conforming_strings = on; SET default_transaction_isolation = 'read committed'");
  } catch (const std::exception& error) {
    const std::string sentence = saidBy(error).sentence;
    throwNotConnected(*login_, sentence);
  }
}

// Poco closes only connections that are in order: a lost one would keep its socket and its memory.
PostgresSession::~PostgresSession() {
  const bool lost = handle_->raw != nullptr && !alive();
  db_.reset();
  if (lost) PQfinish(handle_->raw);
}

bool PostgresSession::alive() const { return PQstatus(handle_->raw) == CONNECTION_OK; }

bool isDenied(const std::exception& error) {
  const Said said = saidBy(error);
  // Of a role that was dropped under its session: "role with OID … does not exist", or nothing is granted any more.
  return said.state == "42501" || said.state == "42704" || said.state.starts_with("28");
}

bool isTransient(const std::exception& error) {
  const std::string state = saidBy(error).state;
  return state == "40001" || state == "40P01";
}

void throwPostgresMeaning(const std::exception& error, const PostgresLogin& login) {
  const auto [state, sentence] = saidBy(error);
  const std::string what = "use PostgreSQL, " + login.shown() + ": " + sentence;
  if (state.starts_with("23")) throw Conflict(what);
  if (state == "42P01")
    throw Unavailable(what + "; the database has no tables of ocelot's yet, ocelot-admin makes them when it starts");
  if (state == "42501")
    throw std::runtime_error(what +
                             "; store.dsn names a role without that right, which postgres/roles.sql gives: run "
                             "that again after each upgrade");
  // Lost connections, no room, shut down or starting, cancelled by a time-out, locks not granted, read-only standby.
  if (state.starts_with("08") || state.starts_with("53") || state.starts_with("57") || state == "55P03" ||
      state == "25006" || state == "25P03" || isTransient(error))
    throw Unavailable(what);
  throw std::runtime_error(what);
}

}  // namespace ocelot::store
