#include "tests/contract/secrets/live_database.hpp"

#include <cppunit/TestAssert.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "host/digest/digest.hpp"
#include "host/http/json.hpp"
#include "host/model/build.hpp"
#include "tests/contract/support/contract.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

std::string variableOrSkip(const char* name, const char* engine) {
  const char* value = std::getenv(name);
  if (!value || !*value) skip(std::string(name) + " is not set: scripts/engines start " + engine);
  return value;
}

std::string contentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string portOf(const std::string& server) {
  const auto at = server.find("port=") + 5;
  return server.substr(at, server.find(' ', at) - at);
}

}  // namespace

LiveDatabase::LiveDatabase(LiveVault& vault, const std::string& default_ttl, const std::string& max_ttl)
    : vault_(vault), tag_(model::newUuid().substr(0, 8)), database_("ocelot_" + tag_), mount_("database-" + tag_) {
  std::istringstream words(variableOrSkip("OCELOT_TEST_POSTGRES", "postgres"));
  for (std::string word; words >> word;) {
    if (word.starts_with("user=")) user_ = word.substr(5);
    if (word.starts_with("password=")) password_ = word.substr(9);
    if (word.starts_with("host=") || word.starts_with("port=")) server_ += word + " ";
  }
  const std::string plugin = "postgresql-database-plugin";
  const std::string program = variableOrSkip("OCELOT_TEST_VAULT_PLUGINS", "vault") + "/" + plugin;
  if (!std::filesystem::exists(program)) skip(program + " is not there");

  run("postgres", "CREATE DATABASE " + database_);
  store::StoreSettings owner = settings(nullptr);
  owner.dsn += " user=" + user_;
  owner.password = password_;
  store::open(owner)->migrate();
  ask(contentOf(OCELOT_ROLES_SQL));

  vault_.root("PUT", "sys/plugins/catalog/database/" + plugin,
              "{\"sha256\":\"" + digest::sha256Hex(contentOf(program)) + "\",\"command\":\"" + plugin + "\"}");
  vault_.root("POST", "sys/mounts/" + mount_, R"({"type":"database"})");
  http::JsonWriter place;
  place.object().field("plugin_name", plugin).field("allowed_roles", "*");
  place.field("username", user_).field("password", password_);
  place.field("connection_url", "postgresql://{{username}}:{{password}}@127.0.0.1:" + portOf(server_) + "/" +
                                    database_ + "?sslmode=disable");
  vault_.root("POST", mount_ + "/config/pg", (place.end(), place.text()));
  http::JsonWriter role;
  role.object().field("db_name", "pg").field("default_ttl", default_ttl).field("max_ttl", max_ttl);
  role.field(
      "creation_statements",
      "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE ocelot_admin, "
      "ocelot_worker");
  role.field("revocation_statements", "DROP ROLE IF EXISTS \"{{name}}\"").end();
  vault_.root("POST", mount_ + "/roles/" + tag_, role.text());
}

LiveDatabase::~LiveDatabase() {
  try {
    vault_.root("PUT", "sys/leases/revoke-force/" + mount_);
    vault_.root("DELETE", "sys/mounts/" + mount_);
  } catch (const std::exception&) {
    // A Vault that the test has killed.
  }
  try {
    ask("DO $$ DECLARE one text; BEGIN FOR one IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%-" + tag_ +
        "-%' LOOP EXECUTE format('DROP ROLE %I', one); END LOOP; END $$");
    run("postgres", "DROP DATABASE " + database_ + " WITH (FORCE)");
  } catch (const std::exception&) {
    // It goes with the server.
  }
}

std::string LiveDatabase::policy() const {
  return "path \"" + mount_ + "/creds/" + tag_ +
         "\" { capabilities = [\"read\"] }\npath \"sys/leases/revoke\" { capabilities = [\"update\"] }\n";
}

void LiveDatabase::endAllAccounts() { vault_.root("PUT", "sys/leases/revoke-prefix/" + mount_ + "/creds/" + tag_); }

store::StoreSettings LiveDatabase::settings(std::shared_ptr<store::Credentials> credentials) const {
  store::StoreSettings settings;
  settings.kind = "postgres";
  settings.dsn = server_ + "dbname=" + database_;
  settings.pool_size = 4;
  settings.credentials = std::move(credentials);
  return settings;
}

int LiveDatabase::accounts() const {
  return std::stoi(ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-%-" + tag_ + "-%'"));
}

std::string LiveDatabase::accountsInUse() const {
  return ask(
      "SELECT string_agg(DISTINCT COALESCE(usename, 'gone'), ' ') FROM pg_stat_activity WHERE datname = "
      "current_database() AND application_name = 'ocelot'");
}

std::string LiveDatabase::run(const std::string& database, const std::string& sql) const {
  const std::string where = server_ + "dbname=" + database + " user=" + user_ + " password=" + password_;
  PGconn* connection = PQconnectdb(where.c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const auto status = PQresultStatus(result);
  std::string value = status == PGRES_TUPLES_OK && PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  const std::string why = PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw std::runtime_error(sql + ": " + why);
  return value;
}

}  // namespace ocelot::test
