#include "host/queue/nsq/mailbox.hpp"

#include <utility>

namespace ocelot::queue::nsq {

bool Mailbox::put(Sender& sender, const std::string& topic, const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (listening_.count(topic) == 0) return false;
  held_.push_back({&sender, topic, id});
  bell_.notify_all();
  return true;
}

void Mailbox::lost(Sender& sender) {
  forget(sender);
  mayHaveMissed();
}

void Mailbox::forget(Sender& sender) {
  const std::lock_guard lock(mutex_);
  std::erase_if(held_, [&](const Held& one) { return one.sender == &sender; });
}

void Mailbox::mayHaveMissed() {
  const std::lock_guard lock(mutex_);
  missed_ = true;
  bell_.notify_all();
}

void Mailbox::listen(std::set<std::string> topics) {
  const std::lock_guard lock(mutex_);
  listening_ = std::move(topics);
  std::erase_if(held_, [&](const Held& one) {
    const bool serves = one.reported && !listening_.empty();
    const bool wanted = !one.reported && listening_.count(one.topic) > 0;
    if (wanted) return false;
    if (serves)
      one.sender->finish(one.id);
    else
      one.sender->giveBack(one.id);
    return true;
  });
}

bool Mailbox::report() {
  bool any = false;
  for (auto& one : held_) any = !std::exchange(one.reported, true) || any;
  // For nobody's ears: it stays until somebody listens.
  if (missed_ && !listening_.empty()) {
    missed_ = false;
    any = true;
  }
  return any;
}

Mailbox::Ended Mailbox::wait(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (report()) return Ended::work;
    if (std::exchange(woken_, false)) return Ended::woken;
    if (std::exchange(changed_, false)) return Ended::changed;
    if (Clock::now() >= until) return Ended::timeout;
    bell_.wait_until(lock, until);
  }
}

void Mailbox::wakeUp() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  bell_.notify_all();
}

void Mailbox::changed() {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  bell_.notify_all();
}

}  // namespace ocelot::queue::nsq
