#include "host/store/postgres/session.hpp"

#include <Poco/Any.h>
#include <Poco/Data/PostgreSQL/Connector.h>
#include <Poco/Data/PostgreSQL/PostgreSQLException.h>
#include <Poco/Data/PostgreSQL/SessionHandle.h>
#include <Poco/Data/Session.h>
#include <libpq-fe.h>

#include <mutex>
#include <stdexcept>

#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

namespace pg = Poco::Data::PostgreSQL;

// What PQexec said; its text carries the SQLSTATE in the form in which Poco's carry it.
class ScriptError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void run(PGconn* connection, const char* sql) {
  PGresult* result = PQexec(connection, sql);
  const ExecStatusType status = PQresultStatus(result);
  std::string what;
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    what = std::string(PQerrorMessage(connection)) + " State: " + (state ? state : "none");
  }
  PQclear(result);
  if (!what.empty()) throw ScriptError(what);
}

std::string textOf(const std::exception& error) {
  const auto* poco = dynamic_cast<const Poco::Exception*>(&error);
  return poco ? poco->displayText() : error.what();
}

// Poco keeps the SQLSTATE inside its text only.
std::string stateOf(const std::string& text) {
  const auto at = text.find("State: ");
  return at == std::string::npos ? "" : text.substr(at + 7, 5);
}

// The server's sentence alone, on one line.
std::string sentenceOf(std::string text) {
  if (const auto at = text.find(" State: "); at != std::string::npos) text.resize(at);
  for (char& c : text)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

struct PostgresSession::Handle {
  PGconn* raw = nullptr;
};

PostgresSession::PostgresSession(const PostgresLogin& login) : handle_(std::make_unique<Handle>()) {
  static std::once_flag registered;
  std::call_once(registered, [] { pg::Connector::registerConnector(); });
  try {
    auto session = std::make_unique<Poco::Data::Session>(pg::Connector::KEY, login.connectionString(), 5);
    PGconn* raw = *Poco::AnyCast<pg::SessionHandle*>(session->getProperty("handle"));
    handle_->raw = raw;
    // Notices ("table exists, skipping") are not for our standard error.
    PQsetNoticeProcessor(
        raw, [](void*, const char*) {}, nullptr);
    db_ = std::make_unique<Connection>(std::move(session), [raw](const char* sql) { run(raw, sql); });
    // A transaction that a stopped process holds open must not block everybody's forever.
    db_->script(
        "SET statement_timeout = '30s'; SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '60s'; "
        "SET standard_conforming_strings = on");
  } catch (const std::exception& error) {
    throw Unavailable("connect to PostgreSQL, " + login.shown() + ": " + sentenceOf(textOf(error)));
  }
}

PostgresSession::~PostgresSession() = default;

bool PostgresSession::alive() const { return PQstatus(handle_->raw) == CONNECTION_OK; }

bool isTransient(const std::exception& error) {
  const std::string state = stateOf(textOf(error));
  return state == "40001" || state == "40P01";
}

void throwPostgresMeaning(const std::exception& error, const PostgresLogin& login) {
  const std::string text = textOf(error);
  const std::string state = stateOf(text);
  const std::string what = "use PostgreSQL, " + login.shown() + ": " + sentenceOf(text);
  if (state.starts_with("23")) throw Conflict(what);
  if (state == "42P01")
    throw Unavailable(what + "; the database has no tables of ocelot's yet, ocelot-admin makes them when it starts");
  // Lost connections, no room, shut down or starting, cancelled by a time-out, locks not granted, read-only standby.
  if (state.starts_with("08") || state.starts_with("53") || state.starts_with("57") || state == "55P03" ||
      state == "25006" || state == "25P03" || isTransient(error))
    throw Unavailable(what);
  throw std::runtime_error(what);
}

}  // namespace ocelot::store
