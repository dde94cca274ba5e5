#include "components/worker/build/cancel_watch.hpp"

#include <poll.h>

#include <array>
#include <iostream>
#include <optional>

namespace ocelot::worker {

CancelWatch::CancelWatch(const builddir::Directory& directory, StoppableCall& call)
    : path_(directory.cancelFile()),
      call_(call),
      changes_(directory.run(), IN_CREATE | IN_MOVED_TO),
      thread_([this] { watch(); }) {}

CancelWatch::~CancelWatch() {
  stop_.set();
  thread_.join();
}

void CancelWatch::watch() {
  while (!look()) {
    std::array<pollfd, 2> fds{{{changes_.fd(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents) return;
    changes_.clear();
  }
}

// True: there is nothing more to learn.
bool CancelWatch::look() {
  std::optional<std::string> said;
  try {
    said = builddir::readIfPresent(path_, 64);
  } catch (const std::exception& error) {
    std::cerr << "cancel: " << error.what() << std::endl;
    said = "cancel";  // it is there
  }
  if (!said) return false;
  if (*said == "kill") {
    killed_ = true;
    kill_.set();
  }
  if (!call_.cancelled()) call_.stop();
  return killed_;
}

}  // namespace ocelot::worker
