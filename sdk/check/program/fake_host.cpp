#include "check/program/fake_host.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace ocelot::check {

HttpAnswer FakeHost::send(Call& call, const HttpRequest& request) {
  int status = 0;
  std::string body;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    requests_.push_back(request);
    status = status_;
    body = body_;
  }
  const std::string what = request.method + " " + request.url;
  call.check("sending " + what);
  if (status == 0) throw Error(Status::unavailable, what + ": connection refused");
  if (status == -1) {
    pollfd wait{call.cancelFd(), POLLIN, 0};
    while (!call.cancelled() && call.remainingMs() != 0) poll(&wait, 1, std::min(call.remainingMs(), 1000));
    call.check("waiting for the answer to " + what);
  }
  if (body.size() > request.max_answer_bytes) throw Error(Status::invalid, what + ": the answer is too long");
  return {status, {{"Content-Type", "application/json"}}, body, status == 429 ? 1000 : -1};
}

TestCall::TestCall(std::chrono::milliseconds timeout)
    : deadline_(Clock::now() + timeout), fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

TestCall::~TestCall() { close(fd_); }

bool TestCall::cancelled() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return cancelled_;
}

void TestCall::log(LogLevel, std::string_view text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  logged_ += std::string(text) + "\n";
}

void TestCall::cancel() {
  const std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  eventfd_write(fd_, 1);
}

std::string TestCall::logged() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return logged_;
}

}  // namespace ocelot::check
