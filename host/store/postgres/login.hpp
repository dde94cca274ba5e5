#pragma once
// How a PostgreSQL server is reached: the operator's dsn with our time-outs, and the password out of sight.

#include <memory>
#include <string>

#include "host/store/credentials.hpp"

namespace ocelot::store {

class PostgresLogin {
 public:
  // Throws std::invalid_argument with what to do when the dsn cannot be meant.
  PostgresLogin(const std::string& dsn, const std::string& password);
  // The same, as a user that is not the dsn's. Throws Unavailable when the account's words do not fit.
  PostgresLogin(const std::string& dsn, std::shared_ptr<const Account> account);
  ~PostgresLogin();
  PostgresLogin(const PostgresLogin&) = delete;
  PostgresLogin& operator=(const PostgresLogin&) = delete;

  // For libpq and for Poco. Holds no password: that is read by libpq from a file in memory that only this process has,
  // where it may contain blanks, which Poco's own parser cannot read, and from where it gets into no message.
  const std::string& connectionString() const { return connection_string_; }
  // "ocelot at db.example.org", for people.
  const std::string& shown() const { return shown_; }
  const std::shared_ptr<const Account>& account() const { return account_; }  // nullptr: the dsn's own user

  // Throws std::invalid_argument when the dsn names a user.
  static void requireNoUser(const std::string& dsn);

 private:
  void make(const std::string& dsn, const std::string& user, const std::string& password);

  std::shared_ptr<const Account> account_;
  std::string connection_string_;
  std::string shown_;
  int password_file_ = -1;
};

// What a connection that did not come about means: Refused where the server is there and says no, else Unavailable.
[[noreturn]] void throwNotConnected(const PostgresLogin& login, const std::string& sentence);

}  // namespace ocelot::store
