#include "host/store/sqlite/session.hpp"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Data/Session.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <random>

#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

namespace lite = Poco::Data::SQLite;

// What sqlite3_exec said; carries the code, as Poco's exceptions do by their class.
class ScriptError : public std::runtime_error {
 public:
  ScriptError(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

extern "C" {
static void ocelotNow(sqlite3_context* context, int, sqlite3_value**) {
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  sqlite3_result_int64(context, sqlite3_int64{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000);
}

// Waits for another process's write transaction: they are short, so the pauses are (0.2 ms … 3 ms, spread at random so
// that two that wait do not keep meeting). SQLite's own handler would soon sleep 100 ms at a time.
static int waitForLock(void* /*arg*/, int tries) {
  constexpr int kMaxTries = 6000;  // about ten seconds; the store then tries the whole transaction again
  if (tries >= kMaxTries) return 0;
  thread_local std::minstd_rand random(std::random_device{}());
  const int longest = tries < 5 ? 400 : 3000;
  ::usleep(static_cast<useconds_t>(200 + static_cast<int>(random() % static_cast<unsigned>(longest))));
  return 1;
}

static int waitBriefly(void* arg, int tries) { return tries < 20 ? waitForLock(arg, tries) : 0; }
}

void run(sqlite3* handle, const char* sql) {
  char* text = nullptr;
  const int code = sqlite3_exec(handle, sql, nullptr, nullptr, &text);
  if (code == SQLITE_OK) return;
  const std::string what = text ? text : sqlite3_errstr(code);
  sqlite3_free(text);
  throw ScriptError(code & 0xFF, what);
}

void makePrivateFile(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw Unavailable("open " + file + ": " + std::strerror(errno));
  // Closing a descriptor of the file drops this process's POSIX locks on it, so it must happen before SQLite takes any:
  // the caller opens its first session right after, and later sessions find the file there.
  ::close(fd);
}

}  // namespace

std::unique_ptr<Connection> openSqlite(const std::string& file, SessionKind kind) {
  static std::once_flag registered;
  std::call_once(registered, [] { lite::Connector::registerConnector(); });
  if (::access(file.c_str(), F_OK) != 0) makePrivateFile(file);

  std::unique_ptr<Poco::Data::Session> session;
  try {
    session = std::make_unique<Poco::Data::Session>(lite::Connector::KEY, file);
  } catch (const Poco::Exception& error) {
    throw Unavailable("open " + file + ": " + error.displayText());
  }
  sqlite3* handle = lite::Utility::dbHandle(*session);
  sqlite3_busy_handler(handle, kind == SessionKind::aside ? waitBriefly : waitForLock, nullptr);
  sqlite3_create_function(handle, "ocelot_now", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, nullptr, ocelotNow, nullptr,
                          nullptr);

  std::string pragmas = "PRAGMA foreign_keys = ON; PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;";
  pragmas += kind == SessionKind::durable ? "PRAGMA synchronous = FULL;" : "PRAGMA synchronous = NORMAL;";
  // Turning WAL on needs the file for itself, and SQLite does not wait for that: it is tried again here. Once on, it is
  // a property of the file.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(kind == SessionKind::aside ? 0 : 30);
  for (;;) {
    try {
      run(handle, "PRAGMA journal_mode = WAL;");
      run(handle, pragmas.c_str());
      if (kind == SessionKind::reader) run(handle, "PRAGMA query_only = ON;");
      break;
    } catch (const ScriptError& error) {
      if (!isBusy(error) || std::chrono::steady_clock::now() > give_up) throwMeaning(error, file);
      waitForLock(nullptr, 5);
    }
  }
  return std::make_unique<Connection>(
      std::move(session), [handle](const char* sql) { run(handle, sql); }, Connection::AfterFailure::destroy);
}

bool isBusy(const std::exception& error) {
  if (const auto* script = dynamic_cast<const ScriptError*>(&error))
    return script->code() == SQLITE_BUSY || script->code() == SQLITE_LOCKED || script->code() == SQLITE_PROTOCOL;
  return dynamic_cast<const lite::DBLockedException*>(&error) ||
         dynamic_cast<const lite::TableLockedException*>(&error) ||
         dynamic_cast<const lite::LockProtocolException*>(&error);
}

void throwMeaning(const std::exception& error, const std::string& file) {
  const auto* poco = dynamic_cast<const Poco::Exception*>(&error);
  const std::string text = poco ? poco->displayText() : error.what();
  const auto* script = dynamic_cast<const ScriptError*>(&error);
  const int code = script ? script->code() : SQLITE_OK;
  if (isBusy(error))
    throw Unavailable("write to " + file + ": another process has kept it to itself for too long: " + text +
                      "; look for a stopped ocelot process or a database shell with an open transaction");
  if (text.find("no such table") != std::string::npos)
    throw Unavailable("use " + file + ": " + text +
                      "; it has no tables of ocelot's yet, ocelot-admin makes them when it starts");
  if (code == SQLITE_FULL || dynamic_cast<const lite::DatabaseFullException*>(&error))
    throw Unavailable("write to " + file + ": the disk is full; free space, or keep fewer builds (keep:)");
  if (code == SQLITE_CONSTRAINT || dynamic_cast<const lite::ConstraintViolationException*>(&error))
    throw Conflict("write to " + file + ": " + text);
  if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_READONLY ||
      dynamic_cast<const lite::IOErrorException*>(&error) ||
      dynamic_cast<const lite::CantOpenDBFileException*>(&error) ||
      dynamic_cast<const lite::ReadOnlyException*>(&error))
    throw Unavailable("use " + file + ": " + text + "; check the disk and the rights of the folder");
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || dynamic_cast<const lite::CorruptImageException*>(&error))
    throw std::runtime_error("use " + file + ": " + text + "; restore a backup (ocelot restore FILE)");
  throw std::runtime_error("use " + file + ": " + text);
}

}  // namespace ocelot::store
