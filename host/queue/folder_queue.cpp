#include "host/queue/folder_queue.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/queue/topic.hpp"

namespace ocelot::queue {

FolderQueue::FolderQueue(const std::string& store_folder) : folder_(store_folder + "/wake") {
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
    throw store::Unavailable("make folder " + folder_ + ": " + std::strerror(errno) +
                             (errno == ENOENT ? "; the store is opened before its queue" : ""));
  inotify_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify_ < 0)
    throw store::Unavailable(std::string("watch ") + folder_ + ": " + std::strerror(errno) +
                             (errno == EMFILE ? "; raise fs.inotify.max_user_instances" : ""));
  if (::inotify_add_watch(inotify_, folder_.c_str(), IN_CLOSE_WRITE | IN_ONLYDIR) < 0) {
    const int why = errno;
    ::close(inotify_);
    throw store::Unavailable("watch " + folder_ + ": " + std::strerror(why) +
                             (why == ENOSPC ? "; raise fs.inotify.max_user_watches" : ""));
  }
}

FolderQueue::~FolderQueue() { ::close(inotify_); }

void FolderQueue::publish(const std::string& topic, int) {
  requireTopic(topic);
  const std::string path = folder_ + "/" + topic;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw store::Unavailable("publish " + topic + " at " + path + ": " + std::strerror(errno));
  ::close(fd);
}

void FolderQueue::readEvents() {
  alignas(inotify_event) char buffer[8192];
  for (;;) {
    const ssize_t size = ::read(inotify_, buffer, sizeof buffer);
    if (size <= 0) return;
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      if ((event->mask & IN_Q_OVERFLOW) != 0) missed_ = true;
      if (event->len > 0) seen_.insert(event->name);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

bool FolderQueue::takeSeen(const std::vector<std::string>& topics) {
  readEvents();
  bool any = missed_;
  missed_ = false;
  for (const auto& topic : topics) any = seen_.erase(topic) > 0 || any;
  return any;
}

bool FolderQueue::wait(const std::vector<std::string>& topics, std::chrono::milliseconds at_most) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + at_most;
  for (;;) {
    if (takeSeen(topics)) return true;
    if (woken_.take()) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd fds[] = {{inotify_, POLLIN, 0}, {woken_.fd(), POLLIN, 0}};
    ::poll(fds, 2, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
  }
}

}  // namespace ocelot::queue
