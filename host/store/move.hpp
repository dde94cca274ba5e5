#pragma once
// A SQLite store into PostgreSQL, for an installation that outgrows its machine. Nothing is changed at the source but
// its schema, which is brought up to date.
//
//   rows, table by table ─ logs, build by build ─ compared: every row and every byte ─ marked as complete
//
// Each step is committed on its own, so that a copy that broke off goes on where it was when it is begun again; when
// the source has changed meanwhile, it begins anew. A target that holds anything else is refused.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/store/store.hpp"

namespace ocelot::store {

struct MoveReport {
  std::int64_t builds = 0;
  std::int64_t rows = 0;  // of all tables
  std::int64_t log_bytes = 0;
  bool resumed = false;   // a copy that had broken off went on
  bool complete = false;  // it had been copied whole before: only compared
  // Logs that do not have the digest that was written down when they were sealed, in the source already: "#12".
  std::vector<std::string> damaged;
};

// Copies all but workers, leaders and secrets: the first two come by themselves, the last by secrets::Secrets, since
// each installation has a key of its own. `told`: progress, a sentence now and then. Throws Conflict while a program
// uses either, or where the target holds what is no copy of this source; Unavailable; std::invalid_argument (kinds that
// are not meant).
MoveReport moveToPostgres(const StoreSettings& from, const StoreSettings& to,
                          const std::function<void(const std::string&)>& told);

}  // namespace ocelot::store
