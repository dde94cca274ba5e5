#pragma once
// A number of threads, made when there is work for them, that take tasks in order.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ocelot::http {

// [any] thread.
class Crew {
 public:
  explicit Crew(std::size_t most) : most_(most) {}
  ~Crew();  // runs what is waiting, then joins
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void run(std::function<void()> task);     // at once when a thread is free, else when one becomes free
  bool tryRun(std::function<void()> task);  // false, and not taken, when all threads are busy
  std::size_t busy() const;

 private:
  void add(std::function<void()> task);  // under mutex_
  void work();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ending_ = false;
};

}  // namespace ocelot::http
