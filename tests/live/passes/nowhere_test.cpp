// With a real Vault (scripts/engines start vault): the token with which a build reads its secrets, and the one in which
// it was wrapped, are nowhere but in the build's folder in memory; and after the build there is none.
//
// Vault's audit log, raw, tells what they were. Each place is looked through for a word that was put there on purpose
// first: a look that finds nothing must be able to find something.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "host/http/json_view.hpp"
#include "host/model/build.hpp"
#include "host/process/child.hpp"
#include "host/process/process.hpp"
#include "host/secrets/vault_http.hpp"
#include "tests/support/installation.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// The engine's root, and an audit log of this test alone.
class AuditedVault {
 public:
  AuditedVault() {
    if (url_.empty()) skip("OCELOT_TEST_VAULT names no server: scripts/engines start vault");
    root("PUT", "sys/audit/" + name_,
         R"({"type":"file","options":{"file_path":")" + folder_.path + R"(/audit","log_raw":"true"}})");
    root("POST", "sys/mounts/" + name_, R"({"type":"kv","options":{"version":"2"}})");
    root(
        "POST", "auth/token/roles/" + name_,
        R"({"orphan":true,"renewable":true,"token_explicit_max_ttl":"26h","allowed_policies_glob":["ocelot-repo-*"]})");
    std::ofstream(folder_.path + "/token") << variable("OCELOT_TEST_VAULT_TOKEN") << "\n";
    await("the engine takes a secret", [this] {  // it is upgraded for a moment
      return send(variable("OCELOT_TEST_VAULT_TOKEN"), "PUT", name_ + "/data/probe", R"({"data":{}})") < 300;
    });
  }
  ~AuditedVault() {
    for (const char* what : {"sys/audit/", "sys/mounts/", "auth/token/roles/"})
      send(variable("OCELOT_TEST_VAULT_TOKEN"), "DELETE", what + name_, "");
  }
  AuditedVault(const AuditedVault&) = delete;
  AuditedVault& operator=(const AuditedVault&) = delete;

  InstallationOptions options() const {
    InstallationOptions options;
    options.set = {"secrets.kind=vault", "vault.url=" + url_,    "vault.token_file=" + folder_.path + "/token",
                   "vault.kv_version=2", "vault.mount=" + name_, "vault.build_role=" + name_};
    return options;
  }
  struct Tokens {
    std::string wrapping, pass;
  };
  // Of the one build: those with which something was unwrapped, and what came out.
  Tokens tokens() const {
    Tokens found;
    std::ifstream audit(folder_.path + "/audit");
    for (std::string line; std::getline(audit, line);) {
      const auto entry = http::JsonView::parse(line).value_or(http::JsonView());
      if (entry["type"].text() != "response" || entry["request"]["path"].text() != "sys/wrapping/unwrap") continue;
      found.wrapping = entry["request"]["client_token"].text().value_or("");
      // Vault writes the answer as it is sent: a text that holds JSON, or an object.
      const auto body = line.find("client_token", line.find("\"response\""));
      const auto begin = line.find("hvs.", body);
      if (begin != std::string::npos) found.pass = line.substr(begin, line.find_first_of("\"\\", begin) - begin);
    }
    return found;
  }
  bool good(const std::string& token) { return send(token, "GET", "auth/token/lookup-self", "") == 200; }

 private:
  int send(const std::string& token, const std::string& method, const std::string& path, const std::string& body) {
    return http_.send(token, {method, path, body, ""}).status;
  }
  void root(const std::string& method, const std::string& path, const std::string& body) {
    const int status = send(variable("OCELOT_TEST_VAULT_TOKEN"), method, path, body);
    CPPUNIT_ASSERT_MESSAGE(method + " " + path + ": " + std::to_string(status), status < 300);
  }

  const std::string url_ = variable("OCELOT_TEST_VAULT"), name_ = "ocelot-test-" + model::newUuid();
  const TempFolder folder_;
  secrets::VaultHttp http_{{url_.empty() ? "http://127.0.0.1:1" : url_, "", "", std::chrono::milliseconds(30000)}};
};

// Every row of every table, as text.
std::string dumpOf(const std::string& database) {
  sqlite3* opened = nullptr;
  CPPUNIT_ASSERT(::sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  ::sqlite3_busy_timeout(opened, 10000);
  const auto rows = [opened](const std::string& query) {
    std::string all;
    sqlite3_stmt* statement = nullptr;
    CPPUNIT_ASSERT_MESSAGE(query, ::sqlite3_prepare_v2(opened, query.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    while (::sqlite3_step(statement) == SQLITE_ROW) {
      for (int i = 0; i < ::sqlite3_column_count(statement); ++i) {
        const void* bytes = ::sqlite3_column_blob(statement, i);
        if (bytes)
          all.append(static_cast<const char*>(bytes), static_cast<std::size_t>(::sqlite3_column_bytes(statement, i)));
        all += '\n';
      }
    }
    ::sqlite3_finalize(statement);
    return all;
  };
  std::string all;
  std::istringstream tables(rows("SELECT name FROM sqlite_master WHERE type = 'table'"));
  for (std::string table; std::getline(tables, table);) all += rows("SELECT * FROM \"" + table + "\"");
  ::sqlite3_close(opened);
  return all;
}

// Where a text can be.
class Search {
 public:
  Search(Installation& here, std::string build) : here_(here), build_(std::move(build)) {}

  std::string control() const { return here_.runDir() + "/builds/" + build_ + "/control"; }
  std::string passFile() const { return here_.runDir() + "/builds/" + build_ + "/pass"; }
  // The folders of config.json: what a container's runtime is given.
  std::vector<std::string> bundles() const {
    std::vector<std::string> found;
    each([&](const fs::path& file) {
      if (file.filename() == "config.json") found.push_back(file.parent_path());
    });
    return found;
  }
  std::set<std::string> placesOf(const std::string& text) const {
    std::set<std::string> places;
    const auto bundled = bundles();
    each([&](const fs::path& file) {
      if (readFile(file).find(text) == std::string::npos) return;
      const bool bundle = std::any_of(bundled.begin(), bundled.end(),
                                      [&](const std::string& folder) { return file.string().find(folder + "/") == 0; });
      places.insert(file == passFile()                               ? "pass"
                    : bundle                                         ? "bundle"
                    : file.string().find(control() + "/") == 0       ? "control"
                    : file.string().find(here_.dataDir() + "/") == 0 ? "data"
                                                                     : file.string());
    });
    for (fs::directory_iterator at("/proc"), end; at != end; ++at)
      for (const char* of : {"environ", "cmdline"})
        if (readFile(at->path() / of).find(text) != std::string::npos) places.insert(of);
    if (dumpOf(here_.dataDir() + "/store/ocelot.db").find(text) != std::string::npos) places.insert("database");
    for (const std::string& path : {"/v1/builds/" + build_, std::string("/v1/builds"), std::string("/v1/workers"),
                                    std::string("/v1/repos"), std::string("/v1/audit"), std::string("/metrics")})
      if (here_.ask("GET", path).body.find(text) != std::string::npos) places.insert("api");
    for (const char* format : {"", "?format=ndjson"})
      if (here_.ask("GET", "/v1/builds/" + build_ + "/log" + format).body.find(text) != std::string::npos)
        places.insert("log");
    return places;
  }

 private:
  void each(const std::function<void(const fs::path&)>& look) const {
    std::error_code gone;
    for (fs::recursive_directory_iterator at(here_.folder(), fs::directory_options::skip_permission_denied, gone), end;
         at != end; at.increment(gone))
      if (at->is_regular_file(gone)) look(at->path());
  }
  Installation& here_;
  const std::string build_;
};

std::string spoken(const std::set<std::string>& places) {
  std::string text = "it is in:";
  for (const auto& place : places) text += " " + place;
  return text;
}

class NowhereTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NowhereTest);
  CPPUNIT_TEST(aBuildsTokenIsNowhereButInItsFolderInMemory);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aBuildsTokenIsNowhereButInItsFolderInMemory() {
    AuditedVault vault;
    Installation here(vault.options());
    const std::string planted = "planted-5b1f0c7e";
    const auto repo = here.makeRepo(
        "nowhere",
        "image: ocelot.local/busybox\nstages:\n  - name: use\n    secrets: [TOKEN]\n    script: |\n      echo " +
            planted + "\n      until [ -e /workspace/go ]; do sleep 0.1; done\n" +
            "      test \"$(/ocelot/guest secret get TOKEN)\" = s3cr3t-value\n" +
            "  - name: later\n    secrets: [LATER]\n    script: test \"$LATER\" = an0ther-value\n");
    here.setSecret(repo, "TOKEN", "s3cr3t-value");
    here.setSecret(repo, "LATER", "an0ther-value");
    const auto id = here.build(repo);
    here.awaitLog(id, planted);
    const auto tokens = vault.tokens();
    CPPUNIT_ASSERT_MESSAGE("the audit log tells the pass", tokens.pass.size() > 20);
    CPPUNIT_ASSERT_MESSAGE("and what it was wrapped in", tokens.wrapping.size() > 20 && tokens.wrapping != tokens.pass);
    CPPUNIT_ASSERT(vault.good(tokens.pass));

    const Search search(here, id);
    const auto bundles = search.bundles();
    CPPUNIT_ASSERT_MESSAGE("the container's bundle is there", !bundles.empty());
    for (const std::string& folder : {bundles.front(), search.control(), here.dataDir()})
      std::ofstream(folder + "/planted") << planted;
    process::Child::Start start;
    start.program = "sleep";
    start.arguments = {"600"};
    start.environment = process::plainEnvironment();
    start.environment["PLANTED"] = planted;
    auto in_environment = process::Child::start(start);
    start.environment.erase("PLANTED");
    start.program = "sh";
    start.arguments = {"-c", "sleep 600; true", planted};
    auto in_arguments = process::Child::start(start);
    const auto found = search.placesOf(planted);
    for (auto* child : {&in_environment, &in_arguments}) {
      child->signal(SIGKILL);
      child->wait();
    }
    for (const std::string& folder : {bundles.front(), search.control(), here.dataDir()})
      fs::remove(folder + "/planted");
    for (const char* place : {"bundle", "control", "data", "environ", "cmdline", "database", "api", "log"})
      CPPUNIT_ASSERT_MESSAGE(std::string(place) + " is not looked through; " + spoken(found), found.count(place) == 1);

    CPPUNIT_ASSERT_EQUAL(spoken({"pass"}), spoken(search.placesOf(tokens.pass)));
    CPPUNIT_ASSERT_EQUAL(spoken({}), spoken(search.placesOf(tokens.wrapping)));
    struct stat file {};
    CPPUNIT_ASSERT(::stat(search.passFile().c_str(), &file) == 0 && (file.st_mode & 0777) == 0600);

    for (const pid_t pid : here.contained()) std::ofstream("/proc/" + std::to_string(pid) + "/root/workspace/go");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    here.awaitClean();
    CPPUNIT_ASSERT_MESSAGE("it was revoked", !vault.good(tokens.pass));
    CPPUNIT_ASSERT_EQUAL(spoken({}), spoken(search.placesOf(tokens.pass)));
    CPPUNIT_ASSERT_EQUAL(spoken({}), spoken(search.placesOf(tokens.wrapping)));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(NowhereTest);

}  // namespace
}  // namespace ocelot::test
