#include "host/queue/nsq/publisher.hpp"

#include <algorithm>
#include <set>

#include "host/queue/queue.hpp"

namespace ocelot::queue::nsq {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookUpEvery{10000};
// All attempts of one publication together: somebody waits for an answer to a push.
constexpr milliseconds kPublishPatience{6000};
// More wake-ups at once than that wake nobody sooner; a worker that is full passes its own on.
constexpr int kMostAtOnce = 64;
// Says "there is work", and its own version, so that a later one may say more.
constexpr const char* kBody = "ocelot/1";

}  // namespace

Publisher::Publisher(const Access& access) : access_(access), lookup_(access.settings.nsqlookupd, access.settings.ca) {
  for (const auto& address : access.settings.nsqd) targets_.push_back(std::make_unique<Target>(address));
  // Not every daemon to the same one.
  if (!targets_.empty()) good_ = std::random_device{}() % targets_.size();
}

void Publisher::find() {
  if (access_.settings.nsqlookupd.empty() || (found_ && Clock::now() < found_at_ + kLookUpEvery)) return;
  const std::set<NsqAddress> named(access_.settings.nsqd.begin(), access_.settings.nsqd.end());
  auto all = lookup_.nodes();
  all.insert(named.begin(), named.end());
  // Known ones keep their connection and their pause.
  std::erase_if(targets_, [&](const auto& target) { return all.erase(target->address) == 0; });
  for (const auto& address : all) targets_.push_back(std::make_unique<Target>(address));
  if (!found_ && !targets_.empty()) good_ = std::random_device{}() % targets_.size();
  found_ = !targets_.empty();
  found_at_ = Clock::now();
  if (!lookup_.trouble().empty()) why_ = lookup_.trouble();
}

Connection& Publisher::connected(Target& target) {
  if (!target.connection) target.connection = std::make_unique<Connection>(access_, target.address, milliseconds(0));
  return *target.connection;
}

void Publisher::setAside(Target& target, const std::exception& error) {
  target.connection.reset();
  target.next_try = Clock::now() + target.pause.next();
  why_ = target.why = error.what();
}

template <class Act>
void Publisher::onAny(const std::string& what, const Act& act) {
  find();
  const auto until = Clock::now() + kPublishPatience;
  const auto began = Clock::now();
  const std::size_t count = targets_.size(), first = good_;
  bool tried = false;
  // Those that were set aside come last, and only when one has failed just now: they may be back.
  for (std::size_t i = 0; i < 2 * count && Clock::now() < until; ++i) {
    const std::size_t at = (first + i) % count;
    Target& target = *targets_[at];
    const bool aside = began < target.next_try;
    if (i < count ? aside : !aside || !tried || target.tried_at >= began) continue;
    tried = true;
    target.tried_at = Clock::now();
    try {
      const bool kept = target.connection != nullptr;
      try {
        act(connected(target));
      } catch (const Unavailable&) {
        // One that stood since the last time may have ended with a restart; two wake-ups are no worse than one.
        target.connection.reset();
        if (!kept) throw;
        act(connected(target));
      }
      target.pause.reset();
      target.next_try = {};
      good_ = at;
      return;
    } catch (const Unavailable& error) {
      setAside(target, error);
    }
  }
  const std::string why = targets_.empty() ? (why_.empty() ? "no nsqd is known" : why_) : why_;
  throw Unavailable(what + ": " + why + (tried ? "" : "; it is tried again in a moment"));
}

void Publisher::publish(const std::string& topic, int times) {
  const std::string command = times > 1 ? mpub(topic, kBody, std::min(times, kMostAtOnce)) : pub(topic, kBody);
  const std::lock_guard lock(mutex_);
  onAny("publish " + topic, [&](Connection& connection) {
    const std::string told = connection.answer(command);
    if (told != "OK")
      throw Unavailable("publish at nsqd " + connection.address().text() + ": it answered " + shown(told));
  });
}

std::string Publisher::warning() {
  const std::lock_guard lock(mutex_);
  find();
  std::string all;
  for (const auto& target : targets_) {
    if (target->connection || Clock::now() >= target->next_try) {
      try {
        Connection& connection = connected(*target);
        while (connection.read(Clock::now())) {
        }
        target->pause.reset();
        target->next_try = {};
        continue;
      } catch (const Unavailable& error) {
        setAside(*target, error);
      }
    }
    all += (all.empty() ? "" : "; ") + target->why;
  }
  return all;
}

std::string Publisher::trouble() {
  const std::lock_guard lock(mutex_);
  try {
    onAny("reach an nsqd", [](Connection& connection) {
      // Nothing is due: what could be read now is the end of it.
      while (connection.read(Clock::now())) {
      }
    });
    return "";
  } catch (const Unavailable& away) {
    return away.what();
  }
}

}  // namespace ocelot::queue::nsq
