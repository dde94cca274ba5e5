#pragma once
// An engine by script: answers each request, told by its first line, with raw bytes, and then closes, hangs or goes on.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ocelot::docker::test {

struct Heard {
  std::string line;  // "GET /version HTTP/1.1"
  std::string head, body;
};

struct Reply {
  std::string bytes;
  bool hang = false;  // the connection stays open until the engine ends
};

// {"status": …} with a length, as dockerd answers.
Reply json(int status, const std::string& body);
// The same in chunks, one a line.
Reply chunks(int status, const std::vector<std::string>& lines);

class FakeEngine {
 public:
  using Script = std::function<Reply(const Heard&)>;

  // Answers /version by itself, as API 1.41, unless the script does.
  explicit FakeEngine(Script script, bool scriptedVersion = false);
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  const std::string& socket() const { return path_; }
  // First lines of what was asked so far, without /version.
  std::vector<std::string> heard() const;
  std::string lastBody(const std::string& part) const;
  std::string lastHead(const std::string& part) const;
  // Blocks until a request with `part` in its first line has come.
  void awaitRequest(const std::string& part);

 private:
  void accept();
  void serve(int fd);

  Script script_;
  bool scriptedVersion_;
  std::string folder_, path_;
  int listening_ = -1, stop_[2] = {-1, -1};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Heard> heard_;       // under mutex_
  std::vector<std::thread> busy_;  // under mutex_
  std::thread accepting_;
};

}  // namespace ocelot::docker::test
