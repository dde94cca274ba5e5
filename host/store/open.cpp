#include <stdexcept>

#include "host/store/postgres/postgres_store.hpp"
#include "host/store/sqlite/sqlite_store.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {

std::unique_ptr<Store> open(const StoreSettings& settings) {
  if (settings.kind == "sqlite") return std::make_unique<SqliteStore>(settings);
  if (settings.kind == "postgres") return std::make_unique<PostgresStore>(settings);
  throw std::invalid_argument("open the store: \"" + settings.kind + "\" is no kind; store.kind is sqlite or postgres");
}

}  // namespace ocelot::store
