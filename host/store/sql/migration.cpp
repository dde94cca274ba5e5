#include "host/store/sql/migration.hpp"

namespace ocelot::store {

std::string newerSchema(const std::string& where, std::int64_t found, std::size_t known) {
  return "open " + where + ": it has schema " + std::to_string(found) +
         ", and ocelot " OCELOT_VERSION " knows schemas up to " + std::to_string(known) +
         ": start the newer ocelot that wrote it, or restore a backup made before that one was started";
}

}  // namespace ocelot::store
