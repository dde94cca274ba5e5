#pragma once
// The steps from an empty database to this program's schema. Step N of the list makes schema N; a step that was
// released is never edited again.

#include <cstdint>
#include <string>
#include <vector>

#include "host/store/sql/connection.hpp"

namespace ocelot::store {

struct Migration {
  const char* name;  // the file's: "0001_first"
  const char* sql;
};

const std::vector<Migration>& sqliteMigrations();
const std::vector<Migration>& postgresMigrations();

// The sentence for a database that a later program has already changed: which one, and which this is.
std::string newerSchema(const std::string& where, Connection& db, std::size_t known);

}  // namespace ocelot::store
