#pragma once
// One topic at one nsqd, channel "worker", for as long as it is wanted: connects, listens, and after a loss connects
// again, with growing pauses. A thread of its own, so that an nsqd that hangs holds up no other.

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "host/process/event.hpp"
#include "host/queue/nsq/connection.hpp"
#include "host/queue/nsq/mailbox.hpp"

namespace ocelot::queue::nsq {

class Subscription final : public Sender {
 public:
  Subscription(const Access& access, NsqAddress address, std::string topic, Mailbox& mailbox);
  ~Subscription() override;  // waits for the thread

  const NsqAddress& address() const { return address_; }
  const std::string& topic() const { return topic_; }
  bool connected() const { return connected_; }
  std::string trouble() const;  // why it is not connected

  // How many wake-ups may be under way to us; 0: none.
  void ready(int count);
  void finish(const std::string& id) override;
  void giveBack(const std::string& id) override;
  void stop();  // returns at once
  bool stopping() const { return stop_; }
  bool stopped() const { return stopped_; }

 private:
  void run();
  void serve();
  void sendPending(Connection& connection, int& told_ready);
  void take(Connection& connection, const Frame& frame);
  void queueCommand(std::string command);

  const Access& access_;
  const NsqAddress address_;
  const std::string topic_;
  Mailbox& mailbox_;

  process::Event signal_;  // something below has changed
  std::atomic<bool> stop_{false}, stopped_{false}, connected_{false};
  std::atomic<int> ready_{0};
  mutable std::mutex mutex_;
  std::string pending_;  // commands that are to be sent
  std::string trouble_;
  bool was_connected_ = false;  // of the thread
  std::thread thread_;
};

}  // namespace ocelot::queue::nsq
