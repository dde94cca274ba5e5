#pragma once
// Wake-ups through PostgreSQL: NOTIFY ocelot_wake, '<topic>', heard by a connection that does nothing else.

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "host/process/event.hpp"
#include "host/queue/queue.hpp"
#include "host/store/postgres/access.hpp"
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

  // With whichever account is the one of the moment, which is kept in `login`. Throws Unavailable.
  store::RawConnection connect(std::shared_ptr<const store::PostgresLogin>& login);
  void listen();             // throws Unavailable
  void replaceSuperseded();  // the listener, where its account changes
  void listenAgain();        // after a loss, with growing pauses
  void readNotifications();  // notices a loss too
  bool takeSeen(const std::vector<std::string>& topics);

  store::PostgresAccess access_;
  process::Event woken_;

  std::mutex publisher_mutex_;
  store::RawConnection publisher_;  // opened when first needed
  std::shared_ptr<const store::PostgresLogin> publishes_as_;

  // Of the one thread that waits.
  store::RawConnection listener_;
  std::shared_ptr<const store::PostgresLogin> listens_as_;
  std::set<std::string> seen_;
  bool missed_ = false;  // there was no connection for a while: anything may have been published
  Clock::time_point next_try_{};
  std::chrono::milliseconds pause_{0};
};

}  // namespace ocelot::queue
