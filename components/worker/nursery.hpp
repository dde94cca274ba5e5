#pragma once
// Where build processes come from: one process per runtime that has loaded the plugin and forks a child for each build,
// so that neither exec nor linking nor loading is on a build's path. A plugin that crashes takes a child with it, or at
// worst the nursery, and never the worker.
//
// The other half is build/nursery_main.cpp. They talk in lines:
//   worker → nursery   RUNTIME (first line, once) · probe · build ENVELOPE · containers OWNER · remove CONTAINER…
//   nursery → worker   ready · failed SENTENCE · probed FACTS · started DIRECTORY PID · ended PID STATUS ·
//                      contained CONTAINER… · removed REPORT
//
// [any] thread.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/builddir/order.hpp"
#include "host/process/child.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::worker {

std::string encode(const RuntimeFacts& facts);
RuntimeFacts decodeFacts(const std::string& json);

class Nursery {
 public:
  // `program`: this very executable. Starts at once.
  Nursery(std::string program, builddir::RuntimeChoice runtime);
  ~Nursery();
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  const builddir::RuntimeChoice& runtime() const { return runtime_; }
  // What the runtime says of itself; unusable with a sentence when the plugin cannot be loaded or crashes.
  RuntimeFacts probe();
  // Starts a build process; returns its pid. Throws Error(unavailable) when the nursery cannot.
  pid_t build(const builddir::Envelope& envelope);
  // The names of this owner's containers, running or ended. Throws Error(unavailable) when the nursery cannot tell.
  std::vector<std::string> containers(const std::string& owner);
  // Removes them with all that is theirs. Returns what it did; throws Error(unavailable) when the nursery cannot.
  std::string remove(const std::vector<std::string>& containers);
  // The status with which a build process ended, as wait(2) gives it; nullopt while unknown (waits at most 2 s).
  std::optional<int> statusOf(pid_t pid);

 private:
  void start();
  void read(int fd);
  bool send(const std::string& line);
  std::string ask(const std::string& line, std::optional<std::string> Nursery::*answer, const char* doing);

  const std::string program_;
  const builddir::RuntimeChoice runtime_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<process::Child> child_;
  int to_ = -1;
  bool alive_ = false, ready_ = false;
  std::string failure_;
  std::optional<std::string> facts_, contained_, removed_;
  std::map<std::string, pid_t> started_;
  std::map<pid_t, int> ended_;
  std::thread reader_;
};

}  // namespace ocelot::worker
