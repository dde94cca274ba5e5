#pragma once
// Builds as a client of the API sees them, whatever installation answers.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ocelot/host.hpp"

namespace ocelot::test {

struct StageSeen {
  int index = 0;
  std::string name, state, sentence;
  int exit_code = -1;
  int line = 0;
  std::int64_t log_begin = 0, log_end = 0;
};

// A build as the API shows it.
struct BuildSeen {
  std::string id, state, reason, sentence, repo, branch, commit, trigger, rerun_of, worker, log_sha256, waiting;
  std::int64_t number = 0, log_bytes = 0;
  int attempt = 0;
  std::int64_t started_at = 0;  // tells runs apart: one that was given back has the number of the next
  std::vector<StageSeen> stages;
  bool final() const { return state != "queued" && state != "running"; }
  const StageSeen& stage(const std::string& name) const;  // throws when there is none
  std::string text() const;                               // everything, for messages
};

// A build that has ended, with its log.
struct BuildRun : BuildSeen {
  std::string log;
};

// A repository as it was added.
struct RepoSeen {
  std::string name, id, hook_secret;
};

// Looks again every few milliseconds until `holds`; throws, saying what was waited for, when it does not in time.
void await(const std::string& what, const std::function<bool()>& holds,
           std::chrono::seconds limit = std::chrono::seconds(180));
std::string sha256Hex(std::string_view bytes);
std::string readFile(const std::string& path);  // "" when there is none

class Api {
 public:
  Api() = default;
  virtual ~Api() = default;
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  virtual std::string url(const std::string& daemon) const = 0;
  virtual std::string log(const std::string& daemon) const = 0;  // what it wrote so far
  const std::string& token() const { return token_; }

  // Every answer that has a status; throws Error where none came.
  HttpAnswer ask(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::vector<std::pair<std::string, std::string>>& headers = {},
                 const std::string& daemon = "admin");

  RepoSeen addRepo(const std::string& name, const std::string& place);
  void setSecret(const RepoSeen& repo, const std::string& name, const std::string& value);
  // Asks for a build; returns its id.
  std::string requestBuild(const std::string& repo, const std::string& branch, const std::string& commit);
  BuildSeen show(const std::string& id_or_number);
  std::vector<BuildSeen> builds(const std::string& query = "");  // newest first, without stages; "state=running"
  BuildSeen awaitState(const std::string& id, const std::string& state,
                       std::chrono::seconds limit = std::chrono::seconds(180));
  BuildRun awaitEnd(const std::string& id, std::chrono::seconds limit = std::chrono::seconds(90));
  std::string storedLog(const std::string& id);
  void awaitLog(const std::string& id, const std::string& text, std::chrono::seconds limit = std::chrono::seconds(180));

 protected:
  std::string token_;
};

// Reads a build's log as the command line does: from admin, redirected to the worker, again by offset whenever it
// breaks off, until the build has ended.
class Follower {
 public:
  // `query`: "&via=admin" stays at admin.
  Follower(Api& api, std::string build_id, std::string query = "");
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  const std::string& id() const { return id_; }
  std::string text() const;
  int reconnects() const { return reconnects_; }
  void awaitText(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(180));
  std::string awaitEnd(std::chrono::seconds limit = std::chrono::seconds(90));  // the whole of it

 private:
  void follow();
  bool once();
  BuildSeen look();

  Api& api_;
  const std::string id_, query_;
  mutable std::mutex mutex_;
  std::string text_;
  std::int64_t run_ = 0;  // when the run began whose log this is
  std::string failure_;
  std::atomic<bool> stop_{false}, done_{false};
  std::atomic<int> reconnects_{0};
  std::thread thread_;
};

}  // namespace ocelot::test
