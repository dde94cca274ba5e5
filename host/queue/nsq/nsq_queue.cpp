#include "host/queue/nsq/nsq_queue.hpp"

#include <algorithm>

#include "host/queue/topic.hpp"

namespace ocelot::queue {
namespace {

using std::chrono::milliseconds;

// Wake-ups under way to one worker, on all connections together: few, as those that it holds wake no other.
constexpr std::size_t kInFlight = 4;
constexpr milliseconds kRotateEvery{500};
constexpr milliseconds kFindEvery{5000}, kFindSoon{500};

}  // namespace

NsqQueue::NsqQueue(const NsqSettings& settings) : access_(settings), publisher_(access_) {
  if (settings.nsqd.empty() && settings.nsqlookupd.empty())
    throw std::invalid_argument("open the queue: no nsqd is named; set queue.nsqd or queue.nsqlookupd");
}

NsqQueue::~NsqQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    asked_.notify_all();
  }
  if (finder_.joinable()) finder_.join();
  mailbox_.listen({});
  // All are told before the first is waited for.
  for (const auto& [place, one] : subscriptions_) one->stop();
  subscriptions_.clear();
  leaving_.clear();
}

void NsqQueue::publish(const std::string& topic, int builds) {
  requireTopic(topic);
  publisher_.publish(topic, builds);
}

void NsqQueue::arrange() {
  const std::lock_guard lock(mutex_);
  std::erase_if(leaving_, [](const auto& one) { return one->stopped(); });
  for (const auto& topic : topics_) {
    std::set<NsqAddress> places(access_.settings.nsqd.begin(), access_.settings.nsqd.end());
    if (const auto found = found_.find(topic); found != found_.end())
      places.insert(found->second.begin(), found->second.end());
    for (const auto& address : places) {
      auto& one = subscriptions_[{topic, address}];
      if (!one) one = std::make_unique<nsq::Subscription>(access_, address, topic, mailbox_);
    }
    // nsqlookupd forgets an nsqd that it does not hear of; while we hear of it, it stays.
    for (auto& [place, one] : subscriptions_)
      if (place.first == topic && places.count(place.second) == 0 && !one->connected()) one->stop();
  }
  for (auto it = subscriptions_.begin(); it != subscriptions_.end();) {
    auto& one = it->second;
    if (topics_.count(it->first.first) == 0) one->stop();
    const bool leaves = one->stopping();
    if (leaves) leaving_.push_back(std::move(one));
    it = leaves ? subscriptions_.erase(it) : std::next(it);
  }
}

void NsqQueue::spread(bool none) {
  const std::lock_guard lock(mutex_);
  std::vector<nsq::Subscription*> up;
  for (const auto& [place, one] : subscriptions_)
    if (one->connected()) up.push_back(one.get());
  const std::size_t each = up.empty() ? 0 : std::max<std::size_t>(1, kInFlight / up.size());
  for (std::size_t i = 0; i < up.size(); ++i) {
    const bool has_turn = (i + up.size() - turn_ % up.size()) % up.size() < kInFlight;
    up[i]->ready(none || !has_turn ? 0 : static_cast<int>(each));
  }
  turn_ = up.size() > kInFlight ? turn_ + kInFlight : 0;
}

bool NsqQueue::wait(const std::vector<std::string>& topics, milliseconds at_most) {
  for (const auto& topic : topics) requireTopic(topic);
  const std::set<std::string> wanted(topics.begin(), topics.end());
  mailbox_.listen(wanted);
  if (!wanted.empty()) {
    {
      const std::lock_guard lock(mutex_);
      if (topics_ != wanted) {
        topics_ = wanted;
        topics_changed_ = true;
        asked_.notify_all();
      }
      if (!finder_.joinable() && !access_.settings.nsqlookupd.empty())
        finder_ = std::thread([this] { findProducers(); });
    }
    arrange();
  }
  const auto until = Clock::now() + at_most;
  for (;;) {
    spread(wanted.empty());
    // Woken to arrange: a connection stands now, or nsqlookupd has named another nsqd.
    switch (mailbox_.wait(std::min(until, Clock::now() + kRotateEvery))) {
      case nsq::Mailbox::Ended::work:
      case nsq::Mailbox::Ended::woken:
        return true;
      case nsq::Mailbox::Ended::changed:
        if (!wanted.empty()) arrange();
        break;
      case nsq::Mailbox::Ended::timeout:
        break;
    }
    if (Clock::now() >= until) return false;
  }
}

void NsqQueue::findProducers() {
  nsq::Lookup lookup(access_.settings.nsqlookupd, access_.settings.ca);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    topics_changed_ = false;
    const auto topics = topics_;
    lock.unlock();
    std::map<std::string, std::set<NsqAddress>> found;
    bool all = true;
    for (const auto& topic : topics) {
      found[topic] = lookup.producers(topic);
      all = all && !found[topic].empty();
    }
    const std::string trouble = lookup.trouble();
    lock.lock();
    lookup_trouble_ = trouble;
    if (found != found_) {
      found_ = std::move(found);
      mailbox_.changed();
    }
    // Until its first message nobody knows a topic.
    asked_.wait_for(lock, all ? kFindEvery : kFindSoon, [this] { return stopping_ || topics_changed_; });
  }
}

std::string NsqQueue::trouble() {
  std::unique_lock lock(mutex_);
  if (topics_.empty()) {
    lock.unlock();
    return publisher_.trouble();
  }
  // Where a topic has nobody who carries it, wake-ups for it do not arrive; one nsqd of several is enough.
  for (const auto& topic : topics_) {
    std::string why;
    bool heard = false;
    for (const auto& [place, one] : subscriptions_) {
      if (place.first != topic) continue;
      heard = heard || one->connected();
      if (why.empty()) why = one->trouble();
    }
    if (!heard && !why.empty()) return why;
    if (!heard && !lookup_trouble_.empty()) return lookup_trouble_;
  }
  return "";
}

std::string NsqQueue::warning() {
  std::unique_lock lock(mutex_);
  if (topics_.empty()) {
    lock.unlock();
    return publisher_.warning();
  }
  std::map<NsqAddress, std::string> away;
  for (const auto& [place, one] : subscriptions_)
    if (const std::string why = one->connected() ? "" : one->trouble(); !why.empty()) away[place.second] = why;
  std::string all;
  for (const auto& [address, why] : away) all += (all.empty() ? "" : "; ") + why;
  if (all.empty()) all = lookup_trouble_;
  return all;
}

std::unique_ptr<Queue> openNsqQueue(const NsqSettings& settings) { return std::make_unique<NsqQueue>(settings); }

}  // namespace ocelot::queue
