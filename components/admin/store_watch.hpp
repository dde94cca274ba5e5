#pragma once
// Whether this admin reaches the store, known at any moment without asking: a worker that cannot renew its leases wants
// to hear it at once, also while a connection hangs.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "host/store/store.hpp"

namespace ocelot::admin {

class StoreWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // `store` outlives it.
  StoreWatch(store::Store& store, std::chrono::milliseconds ask_every);
  ~StoreWatch();
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;

  // "" when the store is there, else why it is not. [any] thread.
  std::string whyAway();
  // When somebody was last told that it is away, or it was seen to be: whoever was told relies on it. [any] thread.
  Clock::time_point lastAway();

 private:
  void run();
  std::string why();  // under the mutex

  store::Store& store_;
  const std::chrono::milliseconds ask_every_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false, asking_ = false;
  Clock::time_point asked_at_, last_away_;
  std::string failure_;  // of the last question that was answered
  std::thread thread_;
};

}  // namespace ocelot::admin
