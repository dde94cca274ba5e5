#pragma once
// A program that goes on beside us: started in its own process group with nothing inherited but what is given, watched
// by a descriptor. The destructor neither kills nor waits: who starts a child decides what becomes of it.
//
// One thread at a time.

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ocelot::process {

class Child {
 public:
  struct Start {
    std::string program;  // with a slash: as it is; without: searched on PATH
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;  // the whole of it
    std::string directory = "/";
    int in = -1, out = -1, err = -1;  // become 0, 1 and 2; -1: /dev/null. Stay the caller's.
    bool own_session = false;         // outlives its starter's terminal
    std::function<void()> in_child;   // between fork and exec, async-signal-safe work only; throwing ends the child
  };

  // Throws Error: not_found (no such program or folder), internal (fork failed).
  static Child start(const Start& start);

  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  pid_t pid() const { return pid_; }
  int fd() const { return pidfd_; }  // readable once it has ended
  void signal(int number) const;     // to its whole group
  std::optional<int> tryWait();      // its status as wait(2) gives it, once it has ended
  int wait();

 private:
  Child(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}
  pid_t pid_;
  int pidfd_;
  std::optional<int> status_;
};

}  // namespace ocelot::process
