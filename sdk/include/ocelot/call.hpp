#pragma once
// What every call across the plugin boundary carries, and how it fails.

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ocelot {
inline namespace v1 {

// Why a call did not do what it was asked. Each value tells the caller its next step.
enum class Status : int {
  ok = 0,
  ignored = 1,          // valid, and nothing to do: forget it
  invalid = 2,          // the input is wrong: do not retry, tell its author
  unauthenticated = 3,  // the signature or credential does not hold
  not_found = 4,
  unavailable = 5,  // the other side is away or busy: a retry may help
  cancelled = 6,    // the caller cancelled, or the deadline passed
  unsupported = 7,
  internal = 8,  // a fault of the plugin itself
};

// The one exception type of the SDK: a status and a sentence of the form
// "what was tried, on what: what came back".
class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& what) : std::runtime_error(what), status_(status) {}
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

enum class LogLevel : int { debug = 0, info = 1, warning = 2, error = 3 };

// One call, as its caller sees it. Everything that may wait takes one. Lives as long as the call; [any] thread.
class Call {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // When the caller stops waiting; time_point::max() when it never does.
  virtual Clock::time_point deadline() const = 0;
  virtual bool cancelled() const = 0;
  // Readable once the call is cancelled, to be polled beside the callee's own descriptors; -1 when there is none.
  virtual int cancelFd() const = 0;
  virtual void log(LogLevel level, std::string_view text) = 0;

  // Milliseconds until the deadline, at least 0; -1 when there is none: what poll(2) wants.
  int remainingMs() const {
    if (deadline() == Clock::time_point::max()) return -1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline() - Clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(left > 86400000 ? 86400000 : left);
  }

  // Throws Error(cancelled) when the caller no longer waits. `doing` completes the sentence "cancelled while …".
  void check(std::string_view doing) const {
    if (cancelled()) throw Error(Status::cancelled, "cancelled while " + std::string(doing));
    if (remainingMs() == 0) throw Error(Status::cancelled, "deadline passed while " + std::string(doing));
  }

 protected:
  Call() = default;
};

// A call with a fixed deadline that nobody cancels: for tests and for short local work.
class SimpleCall final : public Call {
 public:
  SimpleCall() = default;
  explicit SimpleCall(std::chrono::milliseconds timeout) : deadline_(Clock::now() + timeout) {}
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override { return false; }
  int cancelFd() const override { return -1; }
  void log(LogLevel, std::string_view) override {}

 private:
  Clock::time_point deadline_ = Clock::time_point::max();
};

}  // namespace v1
}  // namespace ocelot
