#pragma once
// A Consul that has one key, and answers blocking queries for it as a real one does.

#include <condition_variable>
#include <mutex>
#include <string>

#include "tests/support/fake_http.hpp"

namespace ocelot::test {

class FakeConsul {
 public:
  explicit FakeConsul(std::string document)
      : document_(std::move(document)), server_([this](const Asked& asked) { return reply(asked); }) {}
  ~FakeConsul() {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
    changed_.notify_all();
  }

  const FakeHttp& server() const { return server_; }
  void put(const std::string& document) {
    const std::lock_guard lock(mutex_);
    document_ = document;
    ++index_;
    changed_.notify_all();
  }
  // From now on each request gets this instead; "" : as it should be.
  void answerWith(const std::string& odd) {
    const std::lock_guard lock(mutex_);
    odd_ = odd;
    ++index_;
    changed_.notify_all();
  }
  // As it should be again, with nothing changed: whoever waits for a change waits on.
  void comeBack() {
    const std::lock_guard lock(mutex_);
    odd_.clear();
  }

 private:
  std::string reply(const Asked& asked) {
    std::unique_lock lock(mutex_);
    const auto known = asked.target.find("index=");
    if (known != std::string::npos) {
      const auto index = std::strtoull(asked.target.c_str() + known + 6, nullptr, 10);
      changed_.wait(lock, [&] { return leaving_ || index_ != index; });
    }
    if (!odd_.empty()) return odd_;
    return answer(document_.empty() ? 404 : 200, document_, "X-Consul-Index: " + std::to_string(index_) + "\r\n");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string document_, odd_;
  unsigned long long index_ = 7;
  bool leaving_ = false;
  FakeHttp server_;  // its threads go first
};

}  // namespace ocelot::test
