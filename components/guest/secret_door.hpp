#pragma once
// Where `ocelot-guest secret get NAME` knocks: a socket of the guest's own. It hands out a running stage's secrets to
// that stage's process tree alone. Stages that share a uid could get at each other's all the same: a fence against
// accidents.

#include <poll.h>

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "components/guest/broker.hpp"

namespace ocelot::guest {

class SecretDoor {
 public:
  // Listens as guest.sock in the working directory. "" when it does, otherwise what failed.
  std::string open();

  // Whom it serves from now on.
  struct Tenant {
    pid_t leader = 0;
    std::uint32_t stage = 0;
    const std::vector<std::string>* secrets = nullptr;
  };
  void serve(const std::optional<Tenant>& tenant);

  void addTo(std::vector<pollfd>& waits) const;
  std::int64_t wakeAt() const;
  void step();  // accepts, reads, answers: whatever can be done without waiting

 private:
  struct Visitor {
    Fd socket;
    pid_t pid = 0;
    std::string asked;
    std::optional<BrokerCall> call;
    std::string answer;  // what is left to send
    bool answered = false;
    std::int64_t until = 0;
  };
  void accept();
  bool attend(Visitor& visitor);  // false: it can go
  void listenTo(Visitor& visitor);
  void answer(Visitor& visitor, const std::string& failure, const std::string& value);

  Fd listener_;
  std::optional<Tenant> tenant_;
  std::list<Visitor> visitors_;
};

// The other side: asks the guest whose control folder this is, writes the value to stdout. Returns the exit status.
int secretGet(const std::string& control, const std::string& name);

}  // namespace ocelot::guest
