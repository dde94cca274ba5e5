#include "host/store/sqlite/connection.hpp"

#include <sqlite3.h>

#include <cstring>

#include "host/store/sql/text.hpp"

namespace ocelot::store {
namespace {

// Filters make variants of a statement; a session keeps at most this many before it starts over.
constexpr std::size_t kMaxStatements = 200;

// Ready for the next run, whatever becomes of this one.
class Run {
 public:
  explicit Run(sqlite3_stmt* statement) : statement_(statement) {}
  ~Run() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  sqlite3_stmt* statement_;
};

std::string textAt(sqlite3_stmt* statement, int column) {
  const unsigned char* const text = sqlite3_column_text(statement, column);
  if (text == nullptr) return {};
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
}

std::string bytesAt(sqlite3_stmt* statement, int column) {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  if (bytes == nullptr) return {};
  return std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
}

std::vector<Rows::Column> emptyColumns(const char* letters) {
  std::vector<Rows::Column> columns;
  for (; *letters != '\0'; ++letters) {
    if (*letters == 'i')
      columns.emplace_back(std::vector<std::int64_t>());
    else
      columns.emplace_back(std::vector<std::string>());
  }
  return columns;
}

}  // namespace

void SqliteConnection::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void SqliteConnection::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

SqliteConnection::SqliteConnection(const std::string& file) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) throw SqliteError(code & 0xFF, handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}

SqliteConnection::~SqliteConnection() = default;

void SqliteConnection::fail(int code) const { throw SqliteError(code & 0xFF, sqlite3_errmsg(handle_.get())); }

sqlite3_stmt* SqliteConnection::prepare(const std::string& sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found->second.get();
  if (statements_.size() >= kMaxStatements) statements_.clear();
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  Statement owner(statement);
  if (code != SQLITE_OK) fail(code);
  if (statement == nullptr) throw std::logic_error("a statement without SQL");
  return (statements_[sql] = std::move(owner)).get();
}

Rows SqliteConnection::query(const std::string& sql, const char* columns, const std::vector<Param>& params) {
  sqlite3_stmt* const statement = prepare(sql);
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(params.size()))
    throw std::logic_error("one statement with two parameter lists: " + sql);
  const int count = static_cast<int>(std::strlen(columns));
  if (count > sqlite3_column_count(statement)) throw std::logic_error("fewer columns than are read: " + sql);
  std::vector<std::string> texts;  // bound by reference
  texts.reserve(params.size());
  const Run run(statement);
  for (int i = 0; i < static_cast<int>(params.size()); ++i) {
    const Param& param = params[static_cast<std::size_t>(i)];
    int code = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&param)) {
      code = sqlite3_bind_int64(statement, i + 1, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&param)) {
      const std::string& valid = texts.emplace_back(validText(*text));
      code = sqlite3_bind_text64(statement, i + 1, valid.data(), valid.size(), SQLITE_STATIC, SQLITE_UTF8);
    } else if (const std::string_view bytes = std::get<Bytes>(param).view; !bytes.empty()) {
      code = sqlite3_bind_blob64(statement, i + 1, bytes.data(), bytes.size(), SQLITE_STATIC);
    }
    if (code != SQLITE_OK) fail(code);
  }
  std::vector<Rows::Column> out = emptyColumns(columns);
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return Rows(std::move(out));
    if (code != SQLITE_ROW) fail(code);
    for (int i = 0; i < count; ++i) {
      Rows::Column& column = out[static_cast<std::size_t>(i)];
      if (columns[i] == 'i')
        std::get<0>(column).push_back(sqlite3_column_int64(statement, i));
      else
        std::get<1>(column).push_back(columns[i] == 't' ? textAt(statement, i) : bytesAt(statement, i));
    }
  }
}

void SqliteConnection::script(const char* sql) {
  char* text = nullptr;
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, &text);
  if (code == SQLITE_OK) return;
  const std::string what = text ? text : sqlite3_errstr(code);
  sqlite3_free(text);
  throw SqliteError(code & 0xFF, what);
}

}  // namespace ocelot::store
