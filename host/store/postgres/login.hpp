#pragma once
// How a PostgreSQL server is reached: the operator's dsn with our time-outs, and the password out of sight.

#include <string>

namespace ocelot::store {

class PostgresLogin {
 public:
  // Throws std::invalid_argument with what to do when the dsn cannot be meant.
  PostgresLogin(const std::string& dsn, const std::string& password);
  ~PostgresLogin();
  PostgresLogin(const PostgresLogin&) = delete;
  PostgresLogin& operator=(const PostgresLogin&) = delete;

  // For libpq and for Poco. Holds no password: that is read by libpq from a file in memory that only this process has,
  // where it may contain blanks, which Poco's own parser cannot read, and from where it gets into no message.
  const std::string& connectionString() const { return connection_string_; }
  // "ocelot at db.example.org", for people.
  const std::string& shown() const { return shown_; }

 private:
  std::string connection_string_;
  std::string shown_;
  int password_file_ = -1;
};

}  // namespace ocelot::store
