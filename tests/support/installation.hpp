#pragma once
// A whole Ocelot of the test's own: real daemons on free ports of loopback, SQLite, the runtime `oci`, an image made of
// busybox, repositories beside it. Everything lies in one temporary folder and goes with the test; each daemon can be
// killed, stopped and started on its own.

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/process/child.hpp"
#include "ocelot/host.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/temp_folder.hpp"

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
  std::string id, state, reason, sentence, branch, commit, trigger, rerun_of, log_sha256, waiting;
  std::int64_t number = 0, log_bytes = 0;
  int attempt = 0;
  std::vector<StageSeen> stages;
  bool final() const { return state != "queued" && state != "running"; }
  const StageSeen& stage(const std::string& name) const;  // throws when there is none
  std::string text() const;                               // everything, for messages
};

// A build that has ended, with its log.
struct BuildRun : BuildSeen {
  std::string log;
};

struct TestRepo {
  std::string name, id, hook_secret;
  GitRepo git;
};

// Looks again every few milliseconds until `holds`; throws, saying what was waited for, when it does not in time.
void await(const std::string& what, const std::function<bool()>& holds,
           std::chrono::seconds limit = std::chrono::seconds(180));
std::string sha256Hex(std::string_view bytes);
std::string readFile(const std::string& path);  // "" when there is none

struct InstallationOptions {
  std::vector<std::string> set;    // "worker.slots=1", over the fixture's own settings
  std::string runtimes = "[oci]";  // plugins.runtimes, in YAML's flow style
  std::string data_dir, run_dir;   // "" : below folder()
  bool hookhandler = false, poller = false;
};

class Installation {
 public:
  explicit Installation(InstallationOptions options = {});
  // Ends the daemons, with everything that they started.
  ~Installation();
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;

  // Ends the test as skipped where no containers can be had.
  static void need();

  const std::string& folder() const { return folder_.path; }
  const std::string& dataDir() const { return data_dir_; }
  std::string runDir() const { return options_.run_dir.empty() ? folder_.path + "/run" : options_.run_dir; }
  std::string log(const std::string& daemon) const;  // what it wrote so far
  std::string url(const std::string& daemon) const;
  const std::string& token() const { return token_; }
  static std::string program(const std::string& name);
  // Runs one of Ocelot's programs, or any other, to its end; throws when it fails.
  std::string run(const std::vector<std::string>& command, const std::string& directory = "/") const;

  // ── daemons: "admin", "worker", "hookhandler", "poller"; "worker2": a worker as if on another machine ──
  void start(const std::string& daemon);                 // returns when it answers
  void kill(const std::string& daemon, int signal = 9);  // returns when it has ended
  void signal(const std::string& daemon, int signal);
  // For what is started from now on.
  void configure(std::vector<std::string> set, const std::string& runtimes = "[oci]");
  pid_t pid(const std::string& daemon) const;
  // Those that work on this build now.
  std::vector<pid_t> buildProcesses(const std::string& build_id) const;
  // Processes in containers of this installation.
  std::vector<pid_t> contained() const;

  // ── repositories and builds ──
  // A repository with this ocelot.yml, known to the server.
  TestRepo makeRepo(const std::string& name, const std::string& yml,
                    const std::map<std::string, std::string>& files = {});
  void importImage(const std::string& source, const std::string& name);
  void setSecret(const TestRepo& repo, const std::string& name, const std::string& value);
  // Asks for a build of main's newest commit, or of `branch`'s; returns its id.
  std::string build(const TestRepo& repo, const std::string& branch = "main");
  BuildSeen show(const std::string& id_or_number);
  std::vector<BuildSeen> builds();  // newest first, without stages
  BuildSeen awaitState(const std::string& id, const std::string& state,
                       std::chrono::seconds limit = std::chrono::seconds(180));
  BuildRun awaitEnd(const std::string& id, std::chrono::seconds limit = std::chrono::seconds(90));
  BuildRun runBuild(const TestRepo& repo, const std::string& branch = "main");
  std::string storedLog(const std::string& id);
  void awaitLog(const std::string& id, const std::string& text, std::chrono::seconds limit = std::chrono::seconds(180));

  HttpAnswer ask(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::vector<std::pair<std::string, std::string>>& headers = {},
                 const std::string& daemon = "admin");

  // What is there and should not be once no build runs: containers, mounts, control groups, folders, processes.
  std::vector<std::string> leftovers() const;
  // Waits until there are none; throws with the list.
  void awaitClean(std::chrono::seconds limit = std::chrono::seconds(40));

 private:
  void writeSettings() const;
  std::vector<std::string> dataDirs() const { return {data_dir_, folder_.path + "/data2"}; }
  std::vector<std::string> runDirs() const { return {runDir(), folder_.path + "/run2"}; }
  void makeToken();
  void endEverything() noexcept;

  InstallationOptions options_;
  TempFolder folder_;
  std::string data_dir_, token_, busybox_;
  std::map<std::string, int> ports_;
  std::map<std::string, process::Child> daemons_;
};

// Reads a build's log as the command line does: from admin, redirected to the worker, again by offset whenever it
// breaks off, until the build has ended.
class Follower {
 public:
  // `query`: "&via=admin" stays at admin.
  Follower(Installation& installation, std::string build_id, std::string query = "");
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  std::string text() const;
  int reconnects() const { return reconnects_; }
  void awaitText(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(180));
  std::string awaitEnd(std::chrono::seconds limit = std::chrono::seconds(90));  // the whole of it

 private:
  void follow();
  bool once();

  Installation& installation_;
  const std::string id_, query_;
  mutable std::mutex mutex_;
  std::string text_;
  std::string failure_;
  std::atomic<bool> stop_{false}, done_{false};
  std::atomic<int> reconnects_{0};
  std::thread thread_;
};

}  // namespace ocelot::test
