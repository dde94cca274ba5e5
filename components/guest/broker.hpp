#pragma once
// One question to the build process's broker, without ever blocking: the guest goes on listening to everything else.
// The broker may take its time: it waits for a secret store that is away, and whoever asks ends the question when its
// own time is over. A broker that is not there, or goes away before it has answered, may be restarting: it is asked
// again for half a minute.

#include <poll.h>

#include <cstdint>
#include <string>

#include "components/guest/fd.hpp"

namespace ocelot::guest {

class BrokerCall {
 public:
  BrokerCall(std::uint32_t stage, std::string name);

  void step();  // does what can be done now
  bool done() const { return done_; }
  const std::string& value() const { return value_; }
  const std::string& failure() const { return failure_; }  // a sentence; "" when there is a value

  int fd() const { return socket_.get(); }  // -1 while waiting to try again
  std::int64_t wakeAt() const;              // bootMillis at which step() has something to do without the descriptor

 private:
  void connect();
  void receive();
  void again(const std::string& why);
  void fail(const std::string& sentence);

  std::string name_, request_;
  std::int64_t away_since_;  // when it was last there
  std::int64_t connected_at_ = 0;
  std::int64_t try_at_ = 0;
  Fd socket_;
  std::string bytes_;
  bool done_ = false;
  std::string value_, failure_;
};

}  // namespace ocelot::guest
