#pragma once
// A real PostgreSQL for which a real Vault makes accounts.

#include <memory>
#include <string>

#include "host/secrets/vault_database.hpp"
#include "host/store/store.hpp"
#include "tests/contract/secrets/live_vault.hpp"

namespace ocelot::test {

// A database of its own on the server of OCELOT_TEST_POSTGRES, with Ocelot's tables and roles, and a database engine in
// `vault` that makes accounts of the role ocelot_admin there; all of it gone with its object. Skips the test, saying
// why, where there is no such server or Vault has no plugin for it.
class LiveDatabase {
 public:
  LiveDatabase(LiveVault& vault, const std::string& default_ttl, const std::string& max_ttl);
  ~LiveDatabase();
  LiveDatabase(const LiveDatabase&) = delete;
  LiveDatabase& operator=(const LiveDatabase&) = delete;

  secrets::VaultDatabaseRole role() const { return {mount_, tag_}; }
  std::string policy() const;  // what the handbook tells an operator to allow
  void endAllAccounts();
  store::StoreSettings settings(std::shared_ptr<store::Credentials> credentials) const;

  // As the server's superuser, in this database: the one value of a query.
  std::string ask(const std::string& sql) const { return run(database_, sql); }
  // Accounts that Vault made here: those that there are, and those in which Ocelot is connected.
  int accounts() const;
  std::string accountsInUse() const;  // their names, in one line

 private:
  std::string run(const std::string& database, const std::string& sql) const;

  LiveVault& vault_;
  std::string server_, user_, password_;
  std::string tag_;  // in the names of all that is made
  std::string database_, mount_;
};

}  // namespace ocelot::test
