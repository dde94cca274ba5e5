#include "host/store/sqlite/session.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>

#include "host/store/sqlite/connection.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

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

void makePrivateFile(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw Unavailable("open " + file + ": " + std::strerror(errno));
  // Closing a descriptor of the file drops this process's POSIX locks on it, so it must happen before SQLite takes any:
  // the caller opens its first session right after, and later sessions find the file there.
  ::close(fd);
}

}  // namespace

std::unique_ptr<Connection> openSqlite(const std::string& file, SessionKind kind) {
  if (::access(file.c_str(), F_OK) != 0) makePrivateFile(file);
  std::unique_ptr<SqliteConnection> connection;
  try {
    connection = std::make_unique<SqliteConnection>(file);
  } catch (const SqliteError& error) {
    throw Unavailable("open " + file + ": " + error.what());
  }
  sqlite3* const handle = connection->handle();
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
      connection->script("PRAGMA journal_mode = WAL;");
      connection->script(pragmas.c_str());
      if (kind == SessionKind::reader) connection->script("PRAGMA query_only = ON;");
      break;
    } catch (const SqliteError& error) {
      if (!isBusy(error) || std::chrono::steady_clock::now() > give_up) throwMeaning(error, file);
      waitForLock(nullptr, 5);
    }
  }
  return connection;
}

bool isBusy(const std::exception& error) {
  const auto* const known = dynamic_cast<const SqliteError*>(&error);
  return known && (known->code() == SQLITE_BUSY || known->code() == SQLITE_LOCKED || known->code() == SQLITE_PROTOCOL);
}

void throwMeaning(const std::exception& error, const std::string& file) {
  const std::string text = error.what();
  const auto* const known = dynamic_cast<const SqliteError*>(&error);
  if (isBusy(error))
    throw Unavailable("write to " + file + ": another process has kept it to itself for too long: " + text +
                      "; look for a stopped ocelot process or a database shell with an open transaction");
  if (text.find("no such table") != std::string::npos)
    throw Unavailable("use " + file + ": " + text +
                      "; it has no tables of ocelot's yet, ocelot-admin makes them when it starts");
  switch (known ? known->code() : SQLITE_OK) {
    case SQLITE_FULL:
      throw Unavailable("write to " + file + ": the disk is full; free space, or keep fewer builds (keep:)");
    case SQLITE_CONSTRAINT:
      throw Conflict("write to " + file + ": " + text);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      throw Unavailable("use " + file + ": " + text + "; check the disk and the rights of the folder");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw std::runtime_error("use " + file + ": " + text + "; restore a backup (ocelot restore FILE)");
    default:
      throw std::runtime_error("use " + file + ": " + text);
  }
}

}  // namespace ocelot::store
