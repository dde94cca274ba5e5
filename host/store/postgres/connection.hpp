#pragma once
// Statements in a PostgreSQL session, over Poco::Data. [one thread at a time]

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/store/sql/connection.hpp"

namespace Poco::Data {
class Session;
}

namespace ocelot::store {

class PostgresConnection final : public Connection {
 public:
  // `script` runs SQL without parameters by the engine's own call.
  PostgresConnection(std::unique_ptr<Poco::Data::Session> session, std::function<void(const char*)> script);
  ~PostgresConnection() override;

  Rows query(const std::string& sql, const char* columns,
             const std::vector<Param>& params) override;  // Poco exceptions
  void script(const char* sql) override { script_(sql); }

 private:
  struct Prepared;
  struct Cache;
  void drop(const std::string& sql);
  Prepared& prepare(const std::string& sql, const char* columns, const std::vector<Param>& params);

  std::unique_ptr<Poco::Data::Session> session_;
  std::function<void(const char*)> script_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace ocelot::store
