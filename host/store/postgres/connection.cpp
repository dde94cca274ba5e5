#include "host/store/postgres/connection.hpp"

#include <Poco/Data/LOB.h>
#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>

#include <deque>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include "host/store/sql/text.hpp"

namespace ocelot::store {

namespace {
// Filters make variants of a statement; a session keeps at most this many before it starts over.
constexpr std::size_t kMaxPrepared = 200;
}  // namespace

// Poco binds by reference: what is bound and what is read into lives here, at fixed addresses, as long as the
// statement.
struct PostgresConnection::Prepared {
  explicit Prepared(Poco::Data::Session& session) : statement(session) {}
  std::deque<std::variant<Poco::Int64, std::string, Poco::Data::BLOB>> params;
  std::deque<std::variant<std::vector<Poco::Int64>, std::vector<std::string>, std::vector<Poco::Data::BLOB>>> columns;
  Poco::Data::Statement statement;
  bool ran = false;  // successfully, at least once
};

struct PostgresConnection::Cache {
  std::unordered_map<std::string, std::unique_ptr<Prepared>> statements;
};

PostgresConnection::PostgresConnection(std::unique_ptr<Poco::Data::Session> session,
                                       std::function<void(const char*)> script)
    : session_(std::move(session)), script_(std::move(script)), cache_(std::make_unique<Cache>()) {}

PostgresConnection::~PostgresConnection() = default;

PostgresConnection::Prepared& PostgresConnection::prepare(const std::string& sql, const char* columns,
                                                          const std::vector<Param>& params) {
  using namespace Poco::Data::Keywords;
  auto& statements = cache_->statements;
  if (const auto found = statements.find(sql); found != statements.end()) return *found->second;
  if (statements.size() >= kMaxPrepared) statements.clear();

  auto prepared = std::make_unique<Prepared>(*session_);
  prepared->statement << sql;
  for (const Param& param : params) {
    if (std::holds_alternative<std::int64_t>(param)) {
      prepared->statement, use(std::get<Poco::Int64>(prepared->params.emplace_back(Poco::Int64{})));
    } else if (std::holds_alternative<std::string_view>(param)) {
      prepared->statement, use(std::get<std::string>(prepared->params.emplace_back(std::string{})));
    } else {
      prepared->statement, use(std::get<Poco::Data::BLOB>(prepared->params.emplace_back(Poco::Data::BLOB{})));
    }
  }
  for (const char* column = columns; *column != '\0'; ++column) {
    auto& columns_of = prepared->columns;
    if (*column == 'i') {
      prepared->statement, into(std::get<0>(columns_of.emplace_back(std::vector<Poco::Int64>{})));
    } else if (*column == 't') {
      prepared->statement, into(std::get<1>(columns_of.emplace_back(std::vector<std::string>{})));
    } else {
      prepared->statement, into(std::get<2>(columns_of.emplace_back(std::vector<Poco::Data::BLOB>{})));
    }
  }
  return *(statements[sql] = std::move(prepared));
}

// A Statement is dead after an exception. Poco's connector frees the result of its last run before the next one, and
// again in the destructor when that one failed: such a statement must never be destroyed.
void PostgresConnection::drop(const std::string& sql) {
  const auto found = cache_->statements.find(sql);
  if (found->second->ran) {
    // Only a run that failed after one that did not costs this: a few hundred bytes, kept to the end of the process.
    static std::mutex mutex;
    static auto& abandoned = *new std::vector<Prepared*>;
    for (auto& param : found->second->params)
      std::visit([](auto& value) { value = std::decay_t<decltype(value)>{}; }, param);
    const std::lock_guard<std::mutex> lock(mutex);
    abandoned.push_back(found->second.release());
  }
  cache_->statements.erase(found);
}

Rows PostgresConnection::query(const std::string& sql, const char* columns, const std::vector<Param>& params) {
  Prepared& prepared = prepare(sql, columns, params);
  if (prepared.params.size() != params.size()) throw std::logic_error("one statement with two parameter lists: " + sql);
  for (std::size_t i = 0; i < params.size(); ++i) {
    auto& slot = prepared.params[i];
    if (const auto* number = std::get_if<std::int64_t>(&params[i])) {
      std::get<Poco::Int64>(slot) = *number;
    } else if (const auto* text = std::get_if<std::string_view>(&params[i])) {
      std::get<std::string>(slot) = validText(*text);
    } else {
      const std::string_view bytes = std::get<Bytes>(params[i]).view;
      std::get<Poco::Data::BLOB>(slot) =
          Poco::Data::BLOB(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    }
  }
  for (auto& column : prepared.columns) std::visit([](auto& values) { values.clear(); }, column);
  try {
    prepared.statement.execute();
  } catch (...) {
    drop(sql);
    throw;
  }
  prepared.ran = true;

  std::vector<Rows::Column> out;
  out.reserve(prepared.columns.size());
  for (auto& column : prepared.columns) {
    if (auto* numbers = std::get_if<0>(&column)) {
      out.emplace_back(std::vector<std::int64_t>(numbers->begin(), numbers->end()));
    } else if (auto* texts = std::get_if<1>(&column)) {
      out.emplace_back(std::move(*texts));
      texts->clear();
    } else {
      auto& blobs = std::get<2>(column);
      std::vector<std::string> bytes;
      bytes.reserve(blobs.size());
      for (const auto& blob : blobs) bytes.emplace_back(reinterpret_cast<const char*>(blob.rawContent()), blob.size());
      blobs.clear();
      out.emplace_back(std::move(bytes));
    }
  }
  return Rows(std::move(out));
}

}  // namespace ocelot::store
