#pragma once
// A real nsqd of the test's own, on loopback. It comes from scripts/engines (OCELOT_TEST_NSQD_PROGRAM) or from PATH.

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

class Nsqd {
 public:
  // More arguments for nsqd. Ends the test as skipped where there is no nsqd.
  explicit Nsqd(std::vector<std::string> more = {});
  ~Nsqd();  // kills it
  Nsqd(const Nsqd&) = delete;
  Nsqd& operator=(const Nsqd&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  int httpPort() const { return http_port_; }
  void kill();   // -9
  void wipe();   // its data, once it is killed
  void start();  // on the same ports and data; returns when it answers

  // What its /stats say: messages that wait in a channel or that nobody has asked for yet, and those under way.
  int depth(const std::string& topic) const;
  int inFlight(const std::string& topic) const;
  std::string get(const std::string& path) const;  // body of an HTTP answer; "" when there is none

 private:
  int counted(const std::string& topic, const std::vector<std::string>& fields) const;

  const std::vector<std::string> more_;
  TempFolder folder_;
  int port_ = 0, http_port_ = 0;
  pid_t pid_ = -1;
};

// Any program of a test, which dies with it.
pid_t spawn(const std::vector<std::string>& command, const std::string& output);
int freePortOfLoopback();
// The program that the environment variable names, or the one of that name on PATH; "" when there is neither.
std::string engineProgram(const char* variable, const std::string& name);

}  // namespace ocelot::test
