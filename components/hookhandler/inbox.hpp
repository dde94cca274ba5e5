#pragma once
// What becomes of a webhook: verified on its raw bytes and stored before it is answered; understood afterwards, again
// and again until that works or is given up. A hook that kills its reader cannot take the endpoint down, and none is
// lost.
//
//   new ─ read ─► done | ignored
//    ▲      ├─ repository away: new, later and later ─► parked after many tries
//    │      ├─ makes no sense ─► parked
//    └──────┴─ reader died ─► parked the third time

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "host/daemon/metrics.hpp"
#include "host/engines/engines.hpp"
#include "host/http/message.hpp"
#include "host/providers/providers.hpp"

namespace ocelot::hookhandler {

struct InboxSettings {
  std::chrono::milliseconds interval{5000};     // looks for hooks that another process has stored, or that wait
  std::chrono::milliseconds first_pause{5000};  // of a repository that did not answer; then twice as long each time
  std::chrono::milliseconds most_pause{600000};
  int tries = 160;  // with these pauses above a day
};

// Any number of processes may read: a lock in the store keeps each repository's hooks in their order.
class Inbox {
 public:
  // All of them outlive it.
  Inbox(engines::Engines& engines, providers::Providers& providers, daemon::Metrics& metrics,
        InboxSettings settings = {});
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // POST /hooks/{repo id}: 202 stored, 200 had it already, 401 not signed by who it says. Throws what the engines throw
  // when they are away. [any] thread.
  http::Answer receive(const http::Request& request);

 private:
  using Clock = std::chrono::steady_clock;
  struct Pause {
    Clock::time_point until;
    std::chrono::milliseconds length;
  };

  void run();
  void turn();
  bool stopping();
  bool pausing(const std::string& repo_id) const;
  void readLocked(const store::InboxItem& item);
  void read(const store::InboxItem& item);
  void settle(const store::InboxItem& item, const std::string& state, const std::string& note,
              const std::string& outcome);

  engines::Engines& engines_;
  providers::Providers& providers_;
  daemon::Metrics& metrics_;
  const InboxSettings settings_;
  const std::string me_;
  std::map<std::string, Pause> pauses_;  // by repo; the reading thread's
  std::mutex mutex_;                     // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false, arrived_ = false;
  std::thread thread_;
};

}  // namespace ocelot::hookhandler
