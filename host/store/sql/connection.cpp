#include "host/store/sql/connection.hpp"

namespace ocelot::store {

std::size_t Rows::size() const {
  if (columns_.empty()) return 0;
  return std::visit([](const auto& values) { return values.size(); }, columns_.front());
}

std::int64_t Rows::integer(std::size_t row, std::size_t column) const {
  return std::get<std::vector<std::int64_t>>(columns_.at(column)).at(row);
}

const std::string& Rows::text(std::size_t row, std::size_t column) const {
  return std::get<std::vector<std::string>>(columns_.at(column)).at(row);
}

void Connection::run(const std::string& sql, const std::vector<Param>& params) { query(sql, "", params); }

}  // namespace ocelot::store
