#pragma once
// The build process's end of the secrets' way, small: answers GET lines from a table.

#include <sys/types.h>

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ocelot::test {

class FakeBroker {
 public:
  // Listens in the control folder. `answers`: name → the whole answer; without one the connection is closed.
  FakeBroker(const std::string& control, std::map<std::string, std::string> answers);
  ~FakeBroker();

  std::vector<std::string> asked() const;  // the lines that came

  // The answer that gives a value.
  static std::string ok(const std::string& value) { return "OK " + std::to_string(value.size()) + "\n" + value; }

 private:
  void serve();
  void answer(int connection);

  std::string path_;
  std::map<std::string, std::string> answers_;
  int listener_ = -1, stop_[2] = {-1, -1};
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace ocelot::test
