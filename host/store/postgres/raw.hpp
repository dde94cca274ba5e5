#pragma once
// Connections by libpq alone, for what Poco has no words for: LISTEN, NOTIFY, and locks that a session holds.

#include <memory>
#include <string>

#include "host/store/postgres/login.hpp"

struct pg_conn;

namespace ocelot::store {

struct CloseConnection {
  void operator()(pg_conn* connection) const;
};
using RawConnection = std::unique_ptr<pg_conn, CloseConnection>;

// Throws Unavailable.
RawConnection connectRaw(const PostgresLogin& login);

// What was last said on it, in one line.
std::string lastError(pg_conn* connection);

}  // namespace ocelot::store
