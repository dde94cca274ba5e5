#pragma once
// Wakes workers: "tag X has work". Never the truth: a lost wake-up costs time (the reconciler wakes again), not a
// build.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "host/store/store.hpp"

namespace ocelot::queue {

// "build" for the empty tag, else "build_<tag>".
std::string topicFor(const std::string& machine_tag);

// [any] thread for publish; wait is for one thread.
class Queue {
 public:
  virtual ~Queue() = default;
  virtual void publish(const std::string& topic) = 0;
  // Blocks until one of the topics was published since the last call, wakeUp() was called, or the time is over.
  // true: there may be work.
  virtual bool wait(const std::vector<std::string>& topics, std::chrono::milliseconds at_most) = 0;
  virtual void wakeUp() = 0;  // ends a wait() from another thread
};

// The stand-in on the store: SQLite by inotify on a folder beside the database, PostgreSQL by LISTEN/NOTIFY.
std::unique_ptr<Queue> openStoreQueue(const store::StoreSettings& settings);

}  // namespace ocelot::queue
