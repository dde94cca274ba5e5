#pragma once
// Wake-ups through NSQ: a message says that there is work, the store says which. A message reaches one worker, so it is
// finished only once that worker has looked (the call of wait() that follows): when a worker dies in between, nsqd
// gives the message to another after ten seconds. A worker that stops for want of a free place gives it back, which
// passes the wake-up on until nothing is left or nobody is free. Losing messages all the same, by kill -9 of an nsqd,
// costs time alone: workers look every two seconds, and the reconciler publishes again.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "host/queue/nsq/mailbox.hpp"
#include "host/queue/nsq/publisher.hpp"
#include "host/queue/nsq/subscription.hpp"
#include "host/queue/queue.hpp"

namespace ocelot::queue {

class NsqQueue final : public Queue {
 public:
  explicit NsqQueue(const NsqSettings& settings);
  ~NsqQueue() override;
  using Queue::publish;
  void publish(const std::string& topic, int builds) override;
  bool wait(const std::vector<std::string>& topics, std::chrono::milliseconds at_most) override;
  void wakeUp() override { mailbox_.wakeUp(); }
  std::string trouble() override;
  std::string warning() override;

 private:
  using Clock = std::chrono::steady_clock;
  using Place = std::pair<std::string, NsqAddress>;  // topic, nsqd

  void arrange();          // subscriptions for topics_, on every nsqd that is known to have them
  void spread(bool none);  // says how many wake-ups each may have under way
  void findProducers();    // thread: asks nsqlookupd

  const nsq::Access access_;
  nsq::Mailbox mailbox_;
  nsq::Publisher publisher_;

  std::mutex mutex_;  // guards what follows; never held over a wait
  std::condition_variable asked_;
  std::set<std::string> topics_;  // listened for when last there were any
  std::map<Place, std::unique_ptr<nsq::Subscription>> subscriptions_;
  std::vector<std::unique_ptr<nsq::Subscription>> leaving_;  // until their threads have ended
  std::map<std::string, std::set<NsqAddress>> found_;        // by topic, as nsqlookupd says
  std::string lookup_trouble_;
  std::size_t turn_ = 0;  // whose turn it is, when there are more subscriptions than wake-ups
  bool stopping_ = false, topics_changed_ = false;
  std::thread finder_;
};

}  // namespace ocelot::queue
