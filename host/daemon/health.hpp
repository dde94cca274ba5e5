#pragma once
// Whether a daemon can do its work, and if not, what is down: the answer of /readyz.

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace ocelot::daemon {

// [any] thread.
class Health {
 public:
  // `check` returns "" when well, else why not; what it throws is a reason too. Asked at most once a second, one at a
  // time, on the thread of whoever looks.
  void add(const std::string& name, std::function<std::string()> check);
  // As add(), for what is amiss and keeps the daemon from nothing: told, and ready all the same.
  void addWarning(const std::string& name, std::function<std::string()> check);
  // A component that knows its state by itself.
  void set(const std::string& name, const std::string& why_not);  // "": well

  struct Item {
    std::string name, why_not;
    bool warning = false;
  };
  std::vector<Item> look();
  bool ready();  // every item is well, but for warnings

 private:
  struct Check {
    std::function<std::string()> ask;
    std::string last;
    std::chrono::steady_clock::time_point asked_at;
    bool warning = false;
  };
  std::mutex asking_;  // held while a check runs
  std::mutex mutex_;   // guards checks_
  std::map<std::string, Check> checks_;
};

}  // namespace ocelot::daemon
