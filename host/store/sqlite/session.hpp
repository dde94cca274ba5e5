#pragma once
// SQLite sessions: how one is opened, and what its errors mean.

#include <memory>
#include <string>

#include "host/store/sql/connection.hpp"

namespace ocelot::store {

enum class SessionKind {
  reader,   // refuses to write
  relaxed,  // a commit survives a killed process
  aside,    // as relaxed, and waits for the lock for some 30 ms only
  durable,  // a commit survives power loss
};

// Opens the database file (made 0600 when it is not there). Throws Unavailable.
std::unique_ptr<Connection> openSqlite(const std::string& file, SessionKind kind);

// True for "the database is locked" in all its forms: roll back and try the whole transaction again.
bool isBusy(const std::exception& error);

// Throws what `error` means to a caller of the store.
[[noreturn]] void throwMeaning(const std::exception& error, const std::string& file);

}  // namespace ocelot::store
