// What a Cluster's daemons are told, and its engines before any daemon starts.

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "host/http/client.hpp"
#include "host/http/json.hpp"
#include "host/http/json_view.hpp"
#include "host/model/build.hpp"
#include "host/store/store.hpp"
#include "tests/live/cluster/cluster.hpp"
#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

const char* const kTimes = "admin: {reconcile_interval: 1s}\nworker: {lease: 10s, heartbeat: 1s}\n";

// One word of "host=… port=… user=…".
std::string word(const std::string& dsn, const std::string& name) {
  std::istringstream words(dsn);
  for (std::string one; words >> one;)
    if (one.compare(0, name.size() + 1, name + "=") == 0) return one.substr(name.size() + 1);
  throw std::runtime_error("there is no " + name + " in " + dsn);
}

void writePrivate(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::trunc) << bytes;
  ::chmod(path.c_str(), 0600);
}

std::string firstOf(const std::string& list, int which = 0) {
  std::istringstream words(list);
  std::string one;
  for (int i = 0; i <= which; ++i) std::getline(words, one, ',');
  return one;
}

}  // namespace

HttpAnswer Cluster::to(const std::string& url, const std::string& method, const std::string& path,
                       const std::string& body, const std::vector<std::pair<std::string, std::string>>& headers) {
  http::ClientSettings settings;
  settings.url = url;
  settings.connect_timeout = std::chrono::seconds(2);
  HttpRequest request;
  request.method = method;
  request.url = path;
  request.body = body;
  request.headers = headers;
  SimpleCall call(std::chrono::seconds(20));
  return http::Client(settings).send(call, request);
}

HttpAnswer Cluster::toVault(const std::string& method, const std::string& path, const std::string& body) {
  auto answer = to(vault().value("OCELOT_TEST_VAULT"), method, "/v1/" + path, body,
                   {{"X-Vault-Token", vault().value("OCELOT_TEST_VAULT_TOKEN")}});
  if (answer.status > 299) throw std::runtime_error("Vault, " + method + " " + path + ": " + answer.body);
  return answer;
}

HttpAnswer Cluster::toConsul(const std::string& method, const std::string& path, const std::string& body) {
  return to(consul().value("OCELOT_TEST_CONSUL"), method, "/v1/" + path, body);
}

HttpAnswer Cluster::toNsqd(int which, const std::string& method, const std::string& path, const std::string& body) {
  return to("http://" + firstOf(nsq().value("OCELOT_TEST_NSQD_HTTP"), which), method, path, body);
}

void Cluster::setUpConsul() { toConsul("PUT", "kv/ocelot/config", kTimes); }

// As the handbook has it: a login for each kind of daemon, and a pass for each build.
void Cluster::setUpVault() {
  toVault("POST", "sys/mounts/secret", R"({"type":"kv","options":{"version":"2"}})");
  toVault("POST", "sys/auth/approle", R"({"type":"approle"})");
  toVault(
      "POST", "auth/token/roles/ocelot-build",
      R"({"orphan":true,"renewable":true,"token_explicit_max_ttl":"26h","allowed_policies_glob":["ocelot-repo-*"]})");
  const auto policy = [this](const std::string& name, const std::string& text) {
    toVault("PUT", "sys/policies/acl/" + name, "{\"policy\":" + http::quoted(text) + "}");
  };
  policy("ocelot",
         "path \"secret/data/ocelot/*\" { capabilities = [\"create\", \"update\", \"read\"] }\n"
         "path \"secret/metadata/ocelot/*\" { capabilities = [\"list\", \"read\", \"delete\"] }\n");
  policy("ocelot-admin",
         "path \"sys/policies/acl/ocelot-repo-*\" { capabilities = [\"create\", \"update\"] }\n"
         "path \"auth/token/create/ocelot-build\" { capabilities = [\"update\"] }\n");
  policy("ocelot-worker",
         "path \"secret/data/ocelot/system/*\" { capabilities = [\"create\", \"update\", \"read\"] }\n"
         "path \"secret/metadata/ocelot/system/*\" { capabilities = [\"list\", \"read\"] }\n"
         "path \"secret/data/ocelot/registry/*\" { capabilities = [\"read\"] }\n");
  const std::map<std::string, std::string> policies{
      {"admin", "ocelot,ocelot-admin"}, {"worker", "ocelot-worker"}, {"hookhandler", "ocelot"}, {"poller", "ocelot"}};
  for (const auto& [kind, names] : policies) {
    const std::string role = "auth/approle/role/" + kind;
    toVault("POST", role, "{\"token_policies\":" + http::quoted(names) + ",\"token_ttl\":\"1h\"}");
    const auto data = [](const HttpAnswer& answer) { return http::JsonView::parse(answer.body).value()["data"]; };
    approle_[kind] = data(toVault("GET", role + "/role-id"))["role_id"].text().value();
    writePrivate(folder_.path + "/" + kind + ".secret-id",
                 data(toVault("POST", role + "/secret-id", "{}"))["secret_id"].text().value());
  }
}

void Cluster::writeSettings(const std::string& daemon) {
  const std::string kind = kindOf(daemon), owner = postgres().value("OCELOT_TEST_POSTGRES");
  std::string user = word(owner, "user"), password = word(owner, "password");
  if (roles_) {
    user = daemon;
    std::replace(user.begin(), user.end(), '-', '_');
    password = "of " + daemon;
  }
  writePrivate(place(daemon) + "/password", password);
  std::ofstream file(place(daemon) + "/server.yaml", std::ios::trunc);
  file << "data_dir: " << place(daemon) << "/data\nrun_dir: " << place(daemon) << "/run\nplugins: {runtimes: [oci]}\n"
       << "store: {kind: postgres, pool: 4, dsn: \"host=" << word(owner, "host") << " port=" << word(owner, "port")
       << " dbname=" << word(owner, "dbname") << " user=" << user << "\"}\n";
  if (form_ == Form::engines) {
    file << "queue: {kind: nsq, nsqd: [\"" << firstOf(nsq().value("OCELOT_TEST_NSQD")) << "\"], nsqlookupd: [\""
         << nsq().value("OCELOT_TEST_NSQLOOKUPD") << "\"]}\ndiscovery: {kind: consul}\nconsul: {url: \""
         << consul().value("OCELOT_TEST_CONSUL") << "\", config: true}\nsecrets: {kind: vault}\nvault: {url: \""
         << vault().value("OCELOT_TEST_VAULT")
         << "\", auth: approle, kv_version: 2, build_role: ocelot-build, role_id: " << approle_.at(kind)
         << ", secret_id_file: " << folder_.path << "/" << kind << ".secret-id}\n";
  } else {
    file << "secrets: {key_file: " << folder_.path << "/secret.key}\n";
  }
  const std::string listen = url(daemon).substr(std::string("http://").size());
  std::map<std::string, std::string> keys{{"worker", "local_repos: [" + folder_.path + "/repos]"}};
  const auto add = [&keys](const std::string& section, const std::string& more) {
    std::string& line = keys[section];
    line += (line.empty() ? "" : ", ") + more;
  };
  add(kind, "listen: \"" + listen + "\"");
  if (kind == "worker")
    add(kind, "name: " + daemon + ", admin_url: [\"" + url("admin-1") + "\", \"" + url("admin-2") +
                  "\"], network: none, slots: 4, min_free_disk: 1MiB");
  if (kind == "poller") add(kind, "min_interval: 1s");
  if (form_ == Form::postgres_alone) {
    add("admin", "reconcile_interval: 1s");
    add("worker", "lease: 10s, heartbeat: 1s");
  }
  for (const auto& [section, line] : keys) file << section << ": {" << line << "}\n";
}

// A login for each daemon, with no more than it needs.
void Cluster::setUpRoles() {
  const std::map<std::string, std::string> roles{{"admin", "ocelot_admin"},
                                                 {"worker", "ocelot_worker"},
                                                 {"hookhandler", "ocelot_hooks"},
                                                 {"poller", "ocelot_poller"}};
  const std::string owner = postgres().value("OCELOT_TEST_POSTGRES");
  runHere({"psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", owner, "--file",
           OCELOT_SOURCE "/etc/postgres/roles.sql"});
  roles_ = true;
  for (const auto& daemon : order_) {
    std::string user = daemon;
    std::replace(user.begin(), user.end(), '-', '_');
    sql("CREATE ROLE " + user + " LOGIN PASSWORD 'of " + daemon + "' IN ROLE " + roles.at(kindOf(daemon)));
    writeSettings(daemon);
  }
}

// The store itself notes each end of a build, whoever writes it and however often.
void Cluster::watchEnds() {
  sql("CREATE TABLE test_ends (build_id text, attempt bigint, state text)");
  sql("CREATE FUNCTION test_note_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO "
      "test_ends "
      "VALUES (NEW.id, NEW.attempt, NEW.state); RETURN NEW; END $$");
  sql("CREATE TRIGGER test_ends AFTER UPDATE ON builds FOR EACH ROW WHEN (NEW.state NOT IN ('queued', 'running')) "
      "EXECUTE "
      "FUNCTION test_note_end()");
}

std::string Cluster::sql(const std::string& statement) {
  return runHere({"psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1",
                  postgres().value("OCELOT_TEST_POSTGRES"), "--command", statement});
}

std::string Cluster::dump() { return runHere({"pg_dump", postgres().value("OCELOT_TEST_POSTGRES")}); }

void Cluster::makeToken() {
  token_ = "oct_" + model::newClaimId() + model::newClaimId();
  sql("INSERT INTO tokens (id, name, role, sha256_hex, created_at) VALUES ('test', 'test', 'admin', '" +
      sha256Hex(token_) + "', 0)");
}

}  // namespace ocelot::test
