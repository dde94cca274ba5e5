#include "host/http/crew.hpp"

namespace ocelot::http {

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::add(std::function<void()> task) {
  tasks_.push_back(std::move(task));
  if (tasks_.size() > idle_ && threads_.size() < most_) {
    threads_.emplace_back([this] { work(); });
  } else {
    more_.notify_one();
  }
}

void Crew::run(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  add(std::move(task));
}

bool Crew::tryRun(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (tasks_.size() + threads_.size() - idle_ >= most_) return false;
  add(std::move(task));
  return true;
}

std::size_t Crew::busy() const {
  const std::lock_guard lock(mutex_);
  return threads_.size() - idle_;
}

void Crew::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (tasks_.empty()) {
      if (ending_) return;
      ++idle_;
      more_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      --idle_;
      continue;
    }
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes before the thread counts as free
    lock.lock();
  }
}

}  // namespace ocelot::http
