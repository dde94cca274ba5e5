#pragma once
// Looks at every repository when its time has come, several at once.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "components/poller/poll.hpp"
#include "host/daemon/metrics.hpp"
#include "host/providers/providers.hpp"

namespace ocelot::poller {

struct WatchSettings {
  std::chrono::milliseconds turn{1000};           // how often it is asked whose time has come
  std::chrono::milliseconds min_interval{10000};  // a repository is never looked at more often
  int threads = 4;                                // looks at once
};

// Any number of processes may watch the same store: a lock there lets one look at a repository at a time.
class Watch {
 public:
  // All of them outlive it.
  Watch(engines::Engines& engines, providers::Providers& providers, WatchSettings settings, daemon::Metrics& metrics);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  // What is remembered of a repo between looks.
  struct Past {
    Failures away;
    UnbuiltBranches unbuilt;
  };

  void run();
  void collect();
  void work();
  bool due(const model::Repo& repo, store::Micros now) const;
  void look(const std::string& repo_id, Past& past);

  engines::Engines& engines_;
  providers::Providers& providers_;
  const WatchSettings settings_;
  const std::string me_;
  daemon::Counter& looks_;
  daemon::Counter& failures_;
  daemon::Counter& accepted_;
  daemon::Counter& store_errors_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::deque<std::string> waiting_;   // ids of repos whose time has come
  std::set<std::string> taken_;       // those, and the ones that are being looked at
  std::map<std::string, Past> past_;  // by repo; one that is taken is its look's alone
  std::vector<std::thread> threads_;
};

}  // namespace ocelot::poller
