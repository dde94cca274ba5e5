#pragma once
// The steps from an empty database to this program's schema. Step N of the list makes schema N; a step that was
// released is never edited again.
//
// Two versions of Ocelot may use one database at the same time: while an installation is upgraded machine by machine,
// and after a step back. So the first line of each step says whom it leaves behind:
//
//   -- ocelot: expand        adds: whatever worked before goes on working, beside programs that know of the new
//   -- ocelot: contract 9    takes away: only programs that know schema 9 or a later one work with it
//
// A change that takes something away comes in two releases: one expands, and its programs use the new and keep the old
// right as well; a later one contracts, when no program is left that reads the old. An expanding step adds a column
// with a constant default, a table, an index, a function or a trigger; nothing that rewrites a large table or locks it
// for long, and no constraint that an earlier program's writes would break.
//
// The table `schema_version` keeps for each step the program that took it, and the oldest schema that a program may
// know to go on with it (`works_from`). A program that finds a newer schema goes on when that is no more than it knows,
// and is refused, naming both, when it is more.

#include <cstdint>
#include <string>
#include <vector>

#include "host/store/sql/connection.hpp"
#include "host/store/unfit.hpp"

namespace ocelot::store {

struct Migration {
  const char* name;  // the file's: "0001_first"
  const char* sql;
};

const std::vector<Migration>& sqliteMigrations();
const std::vector<Migration>& postgresMigrations();

// The oldest schema that a program may know to work with `version`, where `before` was it for the one before. Throws
// std::logic_error for a step that does not say it.
std::int64_t worksFrom(const Migration& step, std::int64_t version, std::int64_t before);

// 0: the table of steps is empty.
std::int64_t schemaOf(Connection& db);
// True: the schema is newer than this program, and it may go on. Throws Unfit, naming both, when not.
bool olderProgram(const std::string& where, Connection& db, const std::vector<Migration>& steps);
// In one transaction, under a lock: takes the steps that are missing. Throws as olderProgram.
void applyMigrations(const std::string& where, Connection& db, const std::vector<Migration>& steps);

// "schema 9", for people.
std::string shownSchema(std::int64_t there, std::size_t known);

}  // namespace ocelot::store
