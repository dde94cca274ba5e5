#pragma once
// One database session with its prepared statements. Three types only, int64, text and bytes, and all text is valid:
// what engines and connectors do to values in silence (numbers that wrap, text cut at NUL, blobs read as hex) is kept
// out.
//
// Rules for the SQL: placeholders $1 … $n in the order of their first appearance (SQLite numbers them so); no `$` with
// a digit in a literal; one statement a call. [one thread at a time]

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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
  Connection() = default;
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `columns` has a letter per column: i integer, t text, b bytes; NULL is read as 0 or "". Throws what the engine's
  // connector does; the adapters translate it.
  virtual Rows query(const std::string& sql, const char* columns, const std::vector<Param>& params) = 0;
  // SQL without parameters, several statements at once.
  virtual void script(const char* sql) = 0;
  void run(const std::string& sql, const std::vector<Param>& params);
};

}  // namespace ocelot::store
