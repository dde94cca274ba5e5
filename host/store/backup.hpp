#pragma once
// A SQLite store in one file, and back. (PostgreSQL has pg_dump.) The file is a tar, 0600:
//   ocelot-backup      "format 1", the schema and the program that wrote it
//   ocelot.db          a consistent copy, taken while everything runs
//   logs/…             the segments that the copy speaks of
//   extra/<name>       what the caller adds: the key of the secrets, the configuration
//
// Builds that ran when the copy was taken are running in it too, with leases of the past: the reconciler ends those, as
// after any loss of a worker. A worker that still holds such a build by its claim id goes on with it, from the log size
// that the copy knows.

#include <cstdint>
#include <map>
#include <string>

#include "host/store/store.hpp"

namespace ocelot::store {

struct BackupReport {
  std::int64_t builds = 0;
  std::int64_t log_files = 0;
  std::int64_t bytes = 0;  // of the backup
};

// `extra`: name in the backup → file on this machine. Never overwrites `file`. Throws Unavailable, Conflict,
// std::invalid_argument (the store is no SQLite store).
BackupReport backup(const StoreSettings& settings, const std::string& file,
                    const std::map<std::string, std::string>& extra);

// `extra`: name in the backup → where that file goes. Throws Conflict when a program has the store open, or when there
// is something already where something would go; with `force` that is moved aside to <folder>/before-restore-<time>
// instead. Nothing is changed unless the backup is whole, and of a schema that this program knows.
BackupReport restore(const StoreSettings& settings, const std::string& file,
                     const std::map<std::string, std::string>& extra, bool force);

}  // namespace ocelot::store
