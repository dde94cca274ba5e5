#pragma once
// A whole Ocelot of the test's own: real daemons on free ports of loopback, SQLite, the runtime `oci`, an image made of
// busybox, repositories beside it. Everything lies in one temporary folder and goes with the test; each daemon can be
// killed, stopped and started on its own.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "host/process/child.hpp"
#include "tests/support/api.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

struct TestRepo : RepoSeen {
  GitRepo git;
};

struct InstallationOptions {
  std::vector<std::string> set;    // "worker.slots=1", over the fixture's own settings
  std::string runtimes = "[oci]";  // plugins.runtimes, in YAML's flow style
  std::string data_dir, run_dir;   // "" : below folder()
  bool hookhandler = false, poller = false;
};

class Installation : public Api {
 public:
  explicit Installation(InstallationOptions options = {});
  // Ends the daemons, with everything that they started.
  ~Installation() override;

  // Ends the test as skipped where no containers can be had.
  static void need();
  // A root file system of busybox alone, with a few users.
  static void makeBusybox(const std::string& rootfs);

  const std::string& folder() const { return folder_.path; }
  const std::string& dataDir() const { return data_dir_; }
  std::string runDir() const { return options_.run_dir.empty() ? folder_.path + "/run" : options_.run_dir; }
  std::string log(const std::string& daemon) const override;
  std::string url(const std::string& daemon) const override;
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
  // Asks for a build of main's newest commit, or of `branch`'s; returns its id.
  std::string build(const TestRepo& repo, const std::string& branch = "main");
  BuildRun runBuild(const TestRepo& repo, const std::string& branch = "main");

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
  std::string data_dir_, busybox_;
  std::map<std::string, int> ports_;
  std::map<std::string, process::Child> daemons_;
};

}  // namespace ocelot::test
