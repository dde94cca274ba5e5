#pragma once
// Wake-ups beside a SQLite store: <folder>/wake/<topic> is opened and closed by whoever publishes, and inotify tells
// every process that waits. Nothing is written, so nothing is flushed.

#include <set>
#include <string>

#include "host/process/event.hpp"
#include "host/queue/queue.hpp"

namespace ocelot::queue {

class FolderQueue final : public Queue {
 public:
  explicit FolderQueue(const std::string& store_folder);
  ~FolderQueue() override;
  using Queue::publish;
  void publish(const std::string& topic, int builds) override;
  bool wait(const std::vector<std::string>& topics, std::chrono::milliseconds at_most) override;
  void wakeUp() override { woken_.set(); }

 private:
  void readEvents();
  bool takeSeen(const std::vector<std::string>& topics);

  const std::string folder_;
  int inotify_ = -1;
  process::Event woken_;
  // What was published since the last wait() that asked for it. The watch exists from the constructor on, so what is
  // published between two waits is kept by the kernel.
  std::set<std::string> seen_;
  bool missed_ = false;  // the kernel's own queue overflowed: anything may have been published
};

}  // namespace ocelot::queue
