#pragma once
// The signals that tell a daemon what to do, taken by a thread of their own. They are blocked everywhere else, so that
// no thread is ever interrupted.

#include <functional>
#include <thread>

#include "host/process/event.hpp"
#include "host/process/fd.hpp"

namespace ocelot::daemon {

// Blocks TERM, INT, QUIT, HUP and PIPE in this thread and those it starts. Before the first thread.
void blockSignals();

class Signals {
 public:
  // Called on the signal thread: with how many times TERM, INT or QUIT has come (1, 2, …); for each HUP.
  Signals(std::function<void(int)> on_end, std::function<void()> on_reload);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void watch();

  const std::function<void(int)> on_end_;
  const std::function<void()> on_reload_;
  const process::Event quit_;
  process::Fd signals_;
  std::thread thread_;
};

}  // namespace ocelot::daemon
