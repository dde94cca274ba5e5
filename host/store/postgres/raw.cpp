#include "host/store/postgres/raw.hpp"

#include <libpq-fe.h>

#include <algorithm>

#include "host/store/store.hpp"

namespace ocelot::store {

void CloseConnection::operator()(pg_conn* connection) const { PQfinish(connection); }

RawConnection connectRaw(const PostgresLogin& login) {
  RawConnection connection(PQconnectdb(login.connectionString().c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) throwNotConnected(login, lastError(connection.get()));
  // The server's parting words are not for our standard error.
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

std::string lastError(pg_conn* connection) {
  std::string text = PQerrorMessage(connection);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace ocelot::store
