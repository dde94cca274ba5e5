#pragma once
// A server on a free port, and a client that sends exactly the bytes it is told.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/server.hpp"

namespace ocelot::http::test {

// A TCP connection to a port of this machine.
class Raw {
 public:
  explicit Raw(std::uint16_t port);
  ~Raw();
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  Raw& send(std::string_view bytes);  // what the other side no longer takes is dropped
  // Until the other side closes; fails the test after 20 s.
  std::string readAll();
  // Until `mark` has come; everything up to and with it.
  std::string readUntil(const std::string& mark);
  // One answer with Content-Length.
  std::string readAnswer();
  void finishWriting();
  void close();
  int fd() const { return fd_; }

 private:
  bool more();
  int fd_;
  std::string in_;
};

// send, then everything that comes until the server closes.
std::string exchange(std::uint16_t port, std::string_view bytes);
// "GET PATH HTTP/1.1", Host, extra header lines, and the token "good" unless told otherwise.
std::string get(const std::string& path, const std::string& more_headers = "Connection: close\r\n");
int statusOf(const std::string& answer);  // 0: no answer
std::string bodyOf(const std::string& answer);
int countOf(const std::string& text, const std::string& part);

// A gate that handlers wait at.
class Gate {
 public:
  void open();
  void pass();                  // waits until it is open
  void waitForArrivals(int n);  // until n have come to it
 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrivals_ = 0;
};

// Routes: GET /echo/{name} (open), POST /echo (open, body back, at most 1000 bytes), GET /guarded (viewer), POST /admin
// (admin).
Routes someRoutes();
// Tokens "viewer", "operator", "admin".
std::optional<Identity> someTokens(const Request&, const std::string& token);

}  // namespace ocelot::http::test
