#pragma once
// A flag that a poll(2) sees: set from any thread, cleared by the one that waits.

namespace ocelot::queue {

class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  int fd() const { return fd_; }
  void set();
  bool take();  // true when it was set

 private:
  int fd_;
};

}  // namespace ocelot::queue
