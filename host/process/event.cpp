#include "host/process/event.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace ocelot::process {

Event::Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_)
    throw std::system_error(errno, std::generic_category(), "make an event: eventfd (too many files may be open)");
}

void Event::set() const {
  // It fails only when the counter is full: then it is set.
  (void)::eventfd_write(fd_.get(), 1);
}

bool Event::take() const {
  eventfd_t count = 0;
  return ::eventfd_read(fd_.get(), &count) == 0;
}

}  // namespace ocelot::process
