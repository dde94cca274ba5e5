#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "host/logs/build_log.hpp"
#include "host/process/event.hpp"

namespace ocelot::logs {

struct LogWatch::State {
  State() : inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (inotify < 0) {
      throw std::system_error(errno, std::generic_category(),
                              "watch logs: inotify_init (fs.inotify.max_user_instances may be too low)");
    }
    thread = std::thread([this] { run(); });
  }

  ~State() {
    stop.set();
    thread.join();
    ::close(inotify);
  }

  void run() {
    for (;;) {
      pollfd wait[2] = {{inotify, POLLIN, 0}, {stop.fd(), POLLIN, 0}};
      if (::poll(wait, 2, -1) < 0 && errno != EINTR) return;
      if ((wait[1].revents & POLLIN) != 0) return;
      if ((wait[0].revents & POLLIN) != 0) takeEvents();
    }
  }

  void takeEvents() {
    alignas(inotify_event) char buffer[16384];
    std::set<int> changed;
    bool all = false;
    for (ssize_t got = 0; (got = ::read(inotify, buffer, sizeof buffer)) > 0;) {
      for (const char* at = buffer; at < buffer + got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(at);
        all = all || (event->mask & IN_Q_OVERFLOW) != 0;
        changed.insert(event->wd);
        at += sizeof(inotify_event) + event->len;
      }
    }
    const std::lock_guard lock(mutex);
    for (const auto& [watch, event] : readers) {
      if (all || changed.count(watch) != 0) event->set();
    }
  }

  const int inotify;
  process::Event stop;
  std::mutex mutex;
  std::multimap<int, process::Event*> readers;  // by inotify watch; under mutex
  std::thread thread;
};

namespace {

class FolderSubscription final : public LogWatch::Subscription {
 public:
  FolderSubscription(int inotify, std::mutex& mutex, std::multimap<int, process::Event*>& readers,
                     const std::string& folder)
      : inotify_(inotify), mutex_(mutex), readers_(readers) {
    const std::lock_guard lock(mutex_);
    watch_ = ::inotify_add_watch(inotify_, folder.c_str(),
                                 IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR);
    if (watch_ < 0) {
      throw std::system_error(errno, std::generic_category(),
                              "watch " + folder + (errno == ENOSPC ? " (fs.inotify.max_user_watches is too low)" : ""));
    }
    place_ = readers_.emplace(watch_, &event_);
  }

  ~FolderSubscription() override {
    const std::lock_guard lock(mutex_);
    readers_.erase(place_);
    if (readers_.count(watch_) == 0) ::inotify_rm_watch(inotify_, watch_);
  }

  int fd() const override { return event_.fd(); }
  void clear() override { event_.take(); }

 private:
  int inotify_;
  std::mutex& mutex_;
  std::multimap<int, process::Event*>& readers_;
  process::Event event_;
  int watch_ = -1;
  std::multimap<int, process::Event*>::iterator place_;
};

}  // namespace

LogWatch::LogWatch() : state_(std::make_unique<State>()) {}
LogWatch::~LogWatch() = default;

std::unique_ptr<LogWatch::Subscription> LogWatch::subscribe(const std::string& folder) {
  return std::make_unique<FolderSubscription>(state_->inotify, state_->mutex, state_->readers, folder);
}

}  // namespace ocelot::logs
