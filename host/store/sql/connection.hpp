#pragma once
// One database session with its prepared statements, over Poco::Data. What Poco 1.11 does to values in silence (numbers
// that wrap, text cut at NUL, blobs read as hex) is kept out by allowing three types only: int64, text and bytes.
//
// Rules for the SQL: placeholders $1 … $n in the order of their first appearance (SQLite numbers them so); no `$` with
// a digit in a literal; one statement a call. [one thread at a time]

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace Poco::Data {
class Session;
}

namespace ocelot::store {

// Bound and read byte by byte. Empty bytes are stored as NULL and read back as empty.
struct Bytes {
  std::string_view view;
};
// Text is made valid first: NUL and bad UTF-8 become U+FFFD (see text.hpp).
using Param = std::variant<std::int64_t, std::string_view, Bytes>;

class Rows {
 public:
  using Column = std::variant<std::vector<std::int64_t>, std::vector<std::string>>;
  explicit Rows(std::vector<Column> columns) : columns_(std::move(columns)) {}
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  std::int64_t integer(std::size_t row, std::size_t column) const;
  const std::string& text(std::size_t row, std::size_t column) const;  // of text and of bytes

 private:
  std::vector<Column> columns_;
};

class Connection {
 public:
  // What becomes of a statement that failed. Poco's PostgreSQL connector frees the result of a statement's last run
  // before the next one, and again in the destructor when that run failed: such a statement must never be destroyed.
  enum class AfterFailure { destroy, abandon };

  // `script` runs SQL without parameters, several statements at once, by the engine's own call.
  Connection(std::unique_ptr<Poco::Data::Session> session, std::function<void(const char*)> script,
             AfterFailure after_failure);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `columns` has a letter per column: i integer, t text, b bytes. Throws Poco exceptions; the adapters translate them.
  Rows query(const std::string& sql, const char* columns, const std::vector<Param>& params);
  void run(const std::string& sql, const std::vector<Param>& params);
  void script(const char* sql) { script_(sql); }

 private:
  struct Prepared;
  void drop(const std::string& sql);
  Prepared& prepare(const std::string& sql, const char* columns, const std::vector<Param>& params);

  std::unique_ptr<Poco::Data::Session> session_;
  std::function<void(const char*)> script_;
  const AfterFailure after_failure_;
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

}  // namespace ocelot::store
