#pragma once
// A flag that a poll(2) sees: set from any thread, cleared by the one that waits.

#include "host/process/fd.hpp"

namespace ocelot::process {

class Event {
 public:
  Event();
  int fd() const { return fd_.get(); }
  void set() const;
  bool take() const;  // true when it was set

 private:
  Fd fd_;
};

}  // namespace ocelot::process
