#pragma once
// How connections to one PostgreSQL server are opened, now and later: with the account of the configuration, or with
// whichever is the one of the moment.

#include <memory>
#include <mutex>
#include <string>

#include "host/store/credentials.hpp"
#include "host/store/postgres/login.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {

// [any] thread.
class PostgresAccess {
 public:
  // Throws std::invalid_argument with what to do when the dsn cannot be meant.
  explicit PostgresAccess(const StoreSettings& settings);

  // For the next connection, which keeps it for as long as it lives. Throws Unavailable.
  std::shared_ptr<const PostgresLogin> login();
  // The connection that was opened with it is to be replaced when nothing is under way on it.
  bool superseded(const PostgresLogin& login) const;
  // The server refused it. True: there may be another one, it is worth one more try.
  bool doubt(const PostgresLogin& login);
  // Accounts change: an idle connection has to look now and then whether it is superseded.
  bool changes() const { return credentials_ != nullptr; }

  const std::string& shown() const { return shown_; }  // "ocelot at db.example.org", for people

 private:
  const std::string dsn_;
  const std::shared_ptr<Credentials> credentials_;
  std::string shown_;
  std::mutex mutex_;
  std::shared_ptr<const PostgresLogin> login_;  // of the account that was used last
};

}  // namespace ocelot::store
