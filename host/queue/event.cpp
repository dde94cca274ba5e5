#include "host/queue/event.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace ocelot::queue {

Event::Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Event::~Event() { ::close(fd_); }

void Event::set() {
  const std::uint64_t one = 1;
  // It fails only when the counter is full: then it is set.
  if (::write(fd_, &one, sizeof one) < 0) return;
}

bool Event::take() {
  std::uint64_t count = 0;
  return ::read(fd_, &count, sizeof count) == static_cast<ssize_t>(sizeof count);
}

}  // namespace ocelot::queue
