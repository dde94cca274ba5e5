#pragma once
// Wakes workers: "tag X has work". Never the truth: a lost wake-up costs time (the reconciler wakes again), not a
// build.

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/queue/nsq/settings.hpp"
#include "host/store/store.hpp"

namespace ocelot::queue {

// "build" for the empty tag, else "build_<tag>".
std::string topicFor(const std::string& machine_tag);

// The queue's own server is away. Whatever was to be told stays in the outbox, and is told again.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// [any] thread for publish, wakeUp and trouble; wait is for one thread.
class Queue {
 public:
  virtual ~Queue() = default;
  // `builds` more wait under this topic: where a wake-up reaches one worker alone, that many are sent, within bounds.
  // Throws Unavailable, or store::Unavailable where the store's own server carries the wake-ups.
  virtual void publish(const std::string& topic, int builds) = 0;
  void publish(const std::string& topic) { publish(topic, 1); }
  // Blocks until one of the topics was published since the last call, wakeUp() was called, or the time is over.
  // true: there may be work. The store's queues wake everybody who waits, NSQ one of them; hence the order of things
  // for whoever takes builds:
  //   wait({topics}) → true, look in the store until nothing is left there, wait({topics}) again: the wake-up has
  //   served; wait({topics}) → true, look, but stop for want of a free place, wait({}): it is given to another who
  //   waits.
  // No topics: nothing is listened for, only wakeUp() and the time end it.
  virtual bool wait(const std::vector<std::string>& topics, std::chrono::milliseconds at_most) = 0;
  virtual void wakeUp() = 0;  // ends a wait() from another thread
  // Why wake-ups do not arrive, or cannot be sent; "": all is well, or it is the store's to say.
  virtual std::string trouble() { return ""; }
  // What is amiss although wake-ups go their way: one of several servers is away. "": nothing.
  virtual std::string warning() { return ""; }
};

// The stand-in on the store: SQLite by inotify on a folder beside the database, PostgreSQL by LISTEN/NOTIFY.
std::unique_ptr<Queue> openStoreQueue(const store::StoreSettings& settings);
// NSQ. Returns at once, also when it is away. Throws ocelot::Error(invalid) for certificates that cannot be read.
std::unique_ptr<Queue> openNsqQueue(const NsqSettings& settings);

}  // namespace ocelot::queue
