#pragma once
// The host that a plugin under test is lent: every request gets the scripted answer, and is remembered.

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "check/program/sha256.hpp"
#include "ocelot/host.hpp"

namespace ocelot::check {

// [any] thread.
class FakeHost final : public Host, private Http, private Crypto {
 public:
  Http& http() override { return *this; }
  Crypto& crypto() override { return *this; }

  // Every request from now on is answered with this status and body; status 0: nobody answers; -1: hangs until the call
  // ends.
  void answerWith(int status, std::string body = {}) {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = status;
    body_ = std::move(body);
  }
  std::size_t asked() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_.size();
  }
  std::vector<HttpRequest> requests() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }

 private:
  HttpAnswer send(Call& call, const HttpRequest& request) override;
  std::string hmacSha256(std::string_view key, std::string_view data) override { return check::hmacSha256(key, data); }
  std::string sha256(std::string_view data) override { return check::sha256(data); }
  bool equal(std::string_view a, std::string_view b) override { return a == b; }
  std::string random(std::size_t bytes) override { return std::string(bytes, '4'); }

  std::mutex mutex_;  // guards the rest
  int status_ = 0;
  std::string body_;
  std::vector<HttpRequest> requests_;
};

// A call that can be cancelled and remembers what was logged.
class TestCall final : public Call {
 public:
  explicit TestCall(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  ~TestCall() override;
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override;
  int cancelFd() const override { return fd_; }
  void log(LogLevel level, std::string_view text) override;
  void cancel();
  std::string logged() const;

 private:
  Clock::time_point deadline_;
  int fd_;
  mutable std::mutex mutex_;  // guards the rest
  bool cancelled_ = false;
  std::string logged_;
};

}  // namespace ocelot::check
