#pragma once
// Wake-ups that have come and are not answered for yet: between the connections, which put them in, and the one who
// waits.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <string>

namespace ocelot::queue::nsq {

// Whom a wake-up came by, and who tells nsqd what became of it.
class Sender {
 public:
  virtual ~Sender() = default;
  // [any] thread, with the mailbox's lock held.
  virtual void finish(const std::string& id) = 0;
  virtual void giveBack(const std::string& id) = 0;
};

// [any] thread.
class Mailbox {
 public:
  using Clock = std::chrono::steady_clock;

  // false: nobody listens for it now; it is to be given back.
  bool put(Sender& sender, const std::string& topic, const std::string& id);
  // The sender's connection broke: nsqd gives what it had to others in time, or has lost it, so whoever waits had
  // better look.
  void lost(Sender& sender);
  // The sender goes: nsqd gives what it had to others in time.
  void forget(Sender& sender);
  // It is there again after a loss: what was published meanwhile may be lost.
  void mayHaveMissed();

  // What was reported has served, unless nobody listens any more: then it is given back, with what was not reported.
  void listen(std::set<std::string> topics);
  // Until a wake-up is there for what is listened for, wakeUp(), changed(), or the time. Reports all that is there.
  enum class Ended { work, woken, changed, timeout };
  Ended wait(Clock::time_point until);
  void wakeUp();
  void changed();  // whoever waits has something to arrange, and waits on

 private:
  struct Held {
    Sender* sender;
    std::string topic, id;
    bool reported = false;
  };
  bool report();

  std::mutex mutex_;
  std::condition_variable bell_;
  std::deque<Held> held_;
  std::set<std::string> listening_;
  bool woken_ = false, missed_ = false, changed_ = false;
};

}  // namespace ocelot::queue::nsq
