#pragma once
// Looks at every process of the test's world ten times a second: no build has two guests at once, no command line shows
// the secret.

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ocelot::test {

// What a secret looks like to whoever seeks it: itself, base64 at each of the three places where it may begin, hex.
std::vector<std::string> formsOf(const std::string& secret);

class Witness {
 public:
  explicit Witness(const std::string& secret);
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  std::vector<std::string> complaints() const;
  int looks() const { return looks_; }
  int guestsSeen() const;  // of how many builds

 private:
  void watch();
  void look();
  void complain(const std::string& what);

  const std::vector<std::string> forms_;
  mutable std::mutex mutex_;
  std::set<std::string> complaints_, builds_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> looks_{0};
  std::thread thread_;
};

}  // namespace ocelot::test
