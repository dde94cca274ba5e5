#pragma once
// Where a build process hears that its build is to be cancelled.

#include <atomic>
#include <string>
#include <thread>

#include "components/worker/build/changes.hpp"
#include "components/worker/build/sandbox.hpp"
#include "host/builddir/directory.hpp"
#include "host/process/event.hpp"

namespace ocelot::worker {

// Stops the build's call when the file `cancel` appears. When it says "kill", then or later, nobody waits for the build
// to end by itself. A thread of its own; [any] thread may ask.
class CancelWatch {
 public:
  CancelWatch(const builddir::Directory& directory, StoppableCall& call);
  ~CancelWatch();
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;

  bool killed() const { return killed_; }
  int killFd() const { return kill_.fd(); }  // readable once it is

 private:
  void watch();
  bool look();

  std::string path_;
  StoppableCall& call_;
  Changes changes_;
  std::atomic<bool> killed_{false};
  process::Event kill_, stop_;
  std::thread thread_;
};

}  // namespace ocelot::worker
