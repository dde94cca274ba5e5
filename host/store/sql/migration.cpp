#include "host/store/sql/migration.hpp"

namespace ocelot::store {

std::string newerSchema(const std::string& where, Connection& db, std::size_t known) {
  const Rows newest = db.query("SELECT version, program FROM schema_version ORDER BY version DESC LIMIT 1", "it", {});
  return "open " + where + ": it has schema " + std::to_string(newest.integer(0, 0)) + " of ocelot " +
         newest.text(0, 1) + ", and ocelot " OCELOT_VERSION " knows schemas up to " + std::to_string(known) +
         ": start the newer ocelot that wrote it, or restore a backup made before that one was started";
}

}  // namespace ocelot::store
