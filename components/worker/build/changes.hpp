#pragma once
// Tells that a file or folder changed.

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

namespace ocelot::worker {

// Readable whenever the path changed in one of the ways of `what` (IN_MODIFY and others of inotify(7)). Throws
// std::system_error. Closing it waits for all readers of such events in the kernel, some 15 ms.
class Changes {
 public:
  explicit Changes(const std::string& path, std::uint32_t what) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (fd_ < 0 || ::inotify_add_watch(fd_, path.c_str(), what) < 0)
      throw std::system_error(errno, std::generic_category(), "watch " + path);
  }
  ~Changes() { ::close(fd_); }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;
  int fd() const { return fd_; }
  void clear() {
    std::array<char, 4096> events;
    while (::read(fd_, events.data(), events.size()) > 0) {
    }
  }

 private:
  int fd_;
};

}  // namespace ocelot::worker
