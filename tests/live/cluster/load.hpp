#pragma once
// The builds of a cluster test: so many, each of a branch and a commit of its own, coming in by all ways while the
// faults happen, and what each must have said at its end.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/live/cluster/cluster.hpp"
#include "tests/support/git_repo.hpp"

namespace ocelot::test {

struct Commission {
  std::string repo, branch, commit;
  int pause_ms = 0;         // between its lines
  std::string log() const;  // all that it says itself, byte for byte
};

class Load {
 public:
  Load(Cluster& cluster, std::string secret);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // So many more come in: a third is asked for, a third pushed, a third found by polling. Returns at once; whoever is
  // not heard asks again. `pause_ms`: between the lines of each; 0: some are short, some are not.
  void release(int builds, int pause_ms = 0);
  // All that were released have been accepted.
  void awaitAccepted();
  std::vector<Commission> commissions() const;
  // Ids of builds that were asked for and answered so far.
  std::vector<std::string> known() const;
  // Answers that a pushing forge got and that asked it to come back.
  int busyAnswers() const { return busy_; }

 private:
  struct Source {
    RepoSeen repo;
    GitRepo git;
    std::deque<Commission> waiting;
    std::thread thread;
  };
  void addSource(const std::string& name, const std::string& secret);
  std::vector<Commission> commit(Source& source, int builds, int pause_ms);
  void bring(Source& source, const std::function<bool(const Commission&)>& once);
  bool ask(const Commission& commission);
  bool push(const Commission& commission);

  Cluster& cluster_;
  std::map<std::string, Source> sources_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int made_ = 0;
  std::vector<Commission> all_;
  std::vector<std::string> known_;
  std::map<std::string, int> deliveries_;  // of a branch, so far
  std::atomic<int> busy_{0};
};

}  // namespace ocelot::test
