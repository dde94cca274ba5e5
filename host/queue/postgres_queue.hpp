#pragma once
// Wake-ups through PostgreSQL: NOTIFY ocelot_wake, '<topic>', heard by a connection that does nothing else.

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "host/process/event.hpp"
#include "host/queue/queue.hpp"
#include "host/store/postgres/raw.hpp"

namespace ocelot::queue {

class PostgresQueue final : public Queue {
 public:
  explicit PostgresQueue(const store::StoreSettings& settings);
  ~PostgresQueue() override;
  using Queue::publish;
  void publish(const std::string& topic, int builds) override;
  bool wait(const std::vector<std::string>& topics, std::chrono::milliseconds at_most) override;
  void wakeUp() override { woken_.set(); }

 private:
  using Clock = std::chrono::steady_clock;

  void listen();             // throws Unavailable
  void listenAgain();        // after a loss, with growing pauses
  void readNotifications();  // notices a loss too
  bool takeSeen(const std::vector<std::string>& topics);

  const std::unique_ptr<store::PostgresLogin> login_;
  process::Event woken_;

  std::mutex publisher_mutex_;
  store::RawConnection publisher_;  // opened when first needed

  // Of the one thread that waits.
  store::RawConnection listener_;
  std::set<std::string> seen_;
  bool missed_ = false;  // there was no connection for a while: anything may have been published
  Clock::time_point next_try_{};
  std::chrono::milliseconds pause_{0};
};

}  // namespace ocelot::queue
