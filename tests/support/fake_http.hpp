#pragma once
// A server that answers just what a test says, right or wrong, and keeps what it was asked. On loopback, a free port.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/loopback.hpp"

namespace ocelot::test {

struct Asked {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names lower-case

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

// A whole answer as sent.
inline std::string answer(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

class FakeHttp {
 public:
  // Gives the bytes of the answer; "" : the connection is closed without one. Runs on a thread of the request's own.
  using Handler = std::function<std::string(const Asked&)>;

  explicit FakeHttp(Handler handler) : handler_(std::move(handler)), acceptor_([this] { serve(); }) {}
  ~FakeHttp() {
    stopping_ = true;
    acceptor_.join();
    for (auto& thread : threads_) thread.join();
  }
  FakeHttp(const FakeHttp&) = delete;
  FakeHttp& operator=(const FakeHttp&) = delete;

  std::string address() const { return listener_.address(); }
  std::string url() const { return "http://" + address(); }
  bool stopping() const { return stopping_; }  // for a handler that waits
  std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // How often this was asked, the target up to its query.
  int count(const std::string& method, const std::string& path) const {
    int n = 0;
    for (const auto& one : asked()) n += one.method == method && one.target.substr(0, one.target.find('?')) == path;
    return n;
  }

 private:
  void serve() {
    while (!stopping_) {
      pollfd ready{listener_.fd(), POLLIN, 0};
      if (::poll(&ready, 1, 20) <= 0) continue;
      const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) threads_.emplace_back([this, fd] { converse(fd); });
    }
  }

  void converse(int fd) {
    std::string in;
    std::size_t wanted = std::string::npos;
    Asked asked;
    while (in.size() < wanted && !stopping_) {
      pollfd ready{fd, POLLIN, 0};
      if (::poll(&ready, 1, 20) <= 0) continue;
      char bytes[4096];
      const ssize_t got = ::read(fd, bytes, sizeof bytes);
      if (got <= 0) break;
      in.append(bytes, static_cast<std::size_t>(got));
      const auto end = in.find("\r\n\r\n");
      if (wanted == std::string::npos && end != std::string::npos) {
        asked = parse(in.substr(0, end));
        wanted = end + 4 + static_cast<std::size_t>(std::atoll(asked.header("content-length").c_str()));
      }
    }
    if (in.size() >= wanted) {
      asked.body = in.substr(in.find("\r\n\r\n") + 4);
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(asked);
      }
      const std::string out = handler_(asked);
      for (std::size_t at = 0; at < out.size();) {
        const ssize_t sent = ::send(fd, out.data() + at, out.size() - at, MSG_NOSIGNAL);
        if (sent <= 0) break;
        at += static_cast<std::size_t>(sent);
      }
    }
    ::close(fd);
  }

  static Asked parse(const std::string& head) {
    Asked asked;
    std::size_t at = head.find("\r\n");
    const std::string line = head.substr(0, at);
    const auto first = line.find(' '), last = line.rfind(' ');
    asked.method = line.substr(0, first);
    asked.target = line.substr(first + 1, last - first - 1);
    while (at != std::string::npos) {
      const auto next = head.find("\r\n", at + 2);
      const std::string header = head.substr(at + 2, next == std::string::npos ? next : next - at - 2);
      const auto colon = header.find(':');
      if (colon != std::string::npos) {
        std::string name = header.substr(0, colon);
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const auto value = header.find_first_not_of(' ', colon + 1);
        asked.headers[name] = value == std::string::npos ? "" : header.substr(value);
      }
      at = next;
    }
    return asked;
  }

  const Handler handler_;
  const Loopback listener_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;  // last: it uses all the others
};

}  // namespace ocelot::test
