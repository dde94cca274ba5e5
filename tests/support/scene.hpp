#pragma once
// The engines of an installation in a temporary folder, opened as a daemon opens them, and the verbs of a scene.

#include <sqlite3.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/config/config.hpp"
#include "host/engines/engines.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

// Asks again until it holds; throws after a minute.
inline void waitUntil(const std::string& what, const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("waited in vain: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// A server.yaml of this text, over defaults that put everything below `folder`. Local repositories are allowed there.
inline config::Config configIn(const std::string& folder, const std::string& yaml = "") {
  std::vector<config::Problem> problems;
  const auto file = config::readYaml(yaml, "server.yaml", problems);
  const auto flags =
      config::readFlags({"data_dir=" + folder, "run_dir=" + folder + "/run", "worker.local_repos=" + folder}, problems);
  return config::combine({file, flags}, problems);
}

struct Scene {
  explicit Scene(const std::string& yaml = "") : config(configIn(folder.path, yaml)), engines(engines::open(config)) {}

  store::Store& store() { return *engines.store; }

  model::Repo addRepo(const std::string& name, const std::string& url = "https://example.com/x.git") {
    model::Repo repo;
    repo.id = model::newUuid();
    repo.name = name;
    repo.vcs = "git";
    repo.url = url;
    repo.poll_branches = "ALL";
    repo.hook_secret_name = "system/hook/" + repo.id;
    return store().addRepo(repo);
  }

  // Accepted as a push makes it.
  static model::Build someBuild(const std::string& repo = "account/repo", const std::string& branch = "main") {
    model::Build build;
    build.id = model::newUuid();
    build.repo = repo;
    build.branch = branch;
    build.commit = std::string(40, 'a');
    build.author = "Ada";
    build.message = "change";
    build.trigger = model::Trigger::push;
    build.requested_by = "hook";
    build.pipeline = kPipeline;
    build.change_json = "{}";
    return build;
  }
  model::Build queued(const model::Build& build = someBuild()) {
    return *store().findBuild(store().accept(build, "").id);
  }
  // Only for a queue that is empty.
  store::Claim running(const model::Build& build = someBuild(), std::int64_t lease_ms = 30000) {
    store().accept(build, "");
    return store().claim("worker-1", {}, lease_ms).value().claim;
  }
  void end(const store::Claim& claim, model::BuildState state = model::BuildState::passed,
           const std::string& log = "") {
    store::Finish finish;
    finish.claim = claim;
    finish.outcome = {state, state == model::BuildState::passed ? "" : "stage_failed", "it ended"};
    finish.tail = log;
    finish.log_bytes = static_cast<std::int64_t>(log.size());
    if (!store().finish(finish)) throw std::runtime_error("finish " + claim.build_id);
  }
  // Its id.
  std::string ended(const model::Build& build = someBuild(), model::BuildState state = model::BuildState::passed,
                    const std::string& log = "") {
    const auto claim = running(build);
    end(claim, state, log);
    return claim.build_id;
  }

  // Behind the store's back. The first value of the result, "" when there is none.
  std::string query(const std::string& statement) {
    sqlite3* db = nullptr;
    char* why = nullptr;
    std::string value;
    const auto take = [](void* into, int columns, char** values, char**) {
      if (columns > 0 && values[0]) *static_cast<std::string*>(into) = values[0];
      return 0;
    };
    int failed = sqlite3_open((folder.path + "/store/ocelot.db").c_str(), &db);
    if (!failed) sqlite3_busy_timeout(db, 20000);
    if (!failed) failed = sqlite3_exec(db, statement.c_str(), take, &value, &why);
    const std::string what = statement + ": " + (why ? why : "");
    sqlite3_free(why);
    sqlite3_close(db);
    if (failed) throw std::runtime_error(what);
    return value;
  }
  void sql(const std::string& statement) { query(statement); }
  // The store answers Unavailable wherever it needs this table, until it is brought back.
  void takeAway(const std::string& table) { sql("ALTER TABLE " + table + " RENAME TO " + table + "_away"); }
  void bringBack(const std::string& table) { sql("ALTER TABLE " + table + "_away RENAME TO " + table); }
  void age(const std::string& build_id, int days) {
    sql("UPDATE builds SET finished_at = finished_at - " + std::to_string(days * std::int64_t{86'400'000'000}) +
        " WHERE id = '" + build_id + "'");
  }

  static constexpr const char* kPipeline = "image: debian:12\nstages: [{name: test, script: make test}]\n";

  TempFolder folder;
  config::Config config;
  engines::Engines engines;
};

}  // namespace ocelot::test
