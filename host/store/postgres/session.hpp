#pragma once
// PostgreSQL sessions: how one is opened, and what its errors mean.

#include <memory>
#include <string>

#include "host/store/postgres/login.hpp"
#include "host/store/sql/connection.hpp"

namespace ocelot::store {

class PostgresSession {
 public:
  // Throws Unavailable, and Refused.
  explicit PostgresSession(std::shared_ptr<const PostgresLogin> login);
  ~PostgresSession();
  Connection& db() { return *db_; }
  // False after the server closed the connection, or vanished: drop the session.
  bool alive() const;
  const PostgresLogin& login() const { return *login_; }

 private:
  struct Handle;
  const std::shared_ptr<const PostgresLogin> login_;
  std::unique_ptr<Handle> handle_;
  std::unique_ptr<Connection> db_;
};

// True for conflicts between transactions that the next run resolves.
bool isTransient(const std::exception& error);

// True when the role of the session lacks a right, or is there no more.
bool isDenied(const std::exception& error);

// Throws what `error` means to a caller of the store.
[[noreturn]] void throwPostgresMeaning(const std::exception& error, const PostgresLogin& login);

}  // namespace ocelot::store
