#pragma once
// The container of one build: its specification, its start or its finding again, its end.

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "host/builddir/directory.hpp"
#include "host/builddir/order.hpp"
#include "host/process/event.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::worker {

// Stopped from another thread: cancels whatever call carries it.
class StoppableCall final : public Call {
 public:
  void stop();
  Clock::time_point deadline() const override { return Clock::time_point::max(); }
  bool cancelled() const override { return stopped_; }
  int cancelFd() const override { return event_.fd(); }
  void log(LogLevel level, std::string_view text) override;  // to the build process's own log

 private:
  std::atomic<bool> stopped_{false};
  process::Event event_;
};

class Sandbox {
 public:
  Sandbox(Runtime& runtime, const builddir::Order& order, const builddir::Directory& directory);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const std::string& name() const { return name_; }
  // Is there a container of this build and attempt, running or ended?
  bool exists(Call& call);
  void start(Call& call, const Image& image, const Limits& limits, const std::string& network);
  // Waits for the end on a thread of its own; endFd() becomes readable then.
  void watch();
  int endFd() const { return end_.fd(); }
  bool ended() const { return ended_; }
  const Exit& exit() const { return exit_; }  // once ended
  // Signal to the guest; a container that has just ended is no error.
  void signal(Call& call, int number);
  // Every trace of the container. Safe twice.
  void remove(Call& call);

 private:
  Runtime& runtime_;
  const builddir::Order& order_;
  const builddir::Directory& directory_;
  std::string name_;
  process::Event end_;
  std::atomic<bool> ended_{false};
  Exit exit_;
  StoppableCall waiting_;
  std::thread waiter_;
};

}  // namespace ocelot::worker
