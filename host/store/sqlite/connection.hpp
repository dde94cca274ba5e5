#pragma once
// Statements in an SQLite session, over SQLite's own interface: Poco's connector compiles a statement anew each time it
// is run, which was most of what the store costs. [one thread at a time]

#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/store/sql/connection.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace ocelot::store {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  int code() const { return code_; }  // a primary result code, SQLITE_BUSY

 private:
  int code_;
};

class SqliteConnection final : public Connection {
 public:
  // Opens the file, which must be there. Throws SqliteError, as all of these do.
  explicit SqliteConnection(const std::string& file);
  ~SqliteConnection() override;
  sqlite3* handle() const { return handle_.get(); }

  Rows query(const std::string& sql, const char* columns, const std::vector<Param>& params) override;
  void script(const char* sql) override;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  sqlite3_stmt* prepare(const std::string& sql);
  [[noreturn]] void fail(int code) const;

  std::unique_ptr<sqlite3, Close> handle_;
  std::unordered_map<std::string, Statement> statements_;  // go before the handle
};

}  // namespace ocelot::store
