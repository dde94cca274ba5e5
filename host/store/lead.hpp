#pragma once
// A role of which there is one holder at a time, among all processes: held for as long as the object lives. What the
// store is told is short, and told again and again: who dies or hangs with it is replaced within seconds.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "host/store/store.hpp"

namespace ocelot::store {

class Lead {
 public:
  static constexpr std::chrono::milliseconds kHold{15000};

  // nullptr: somebody else has it. Throws what the store throws. `store` outlives it.
  static std::unique_ptr<Lead> tryTake(Store& store, std::string role, std::string holder,
                                       std::chrono::milliseconds hold = kHold);
  ~Lead();  // gives it back; where that fails, it ends by itself
  Lead(const Lead&) = delete;
  Lead& operator=(const Lead&) = delete;

 private:
  Lead(Store& store, std::string role, std::string holder, std::chrono::milliseconds hold);
  void renew();

  Store& store_;
  const std::string role_, holder_;
  const std::chrono::milliseconds hold_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;  // under the mutex
  std::thread thread_;
};

}  // namespace ocelot::store
