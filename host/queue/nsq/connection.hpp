#pragma once
// One connection to one nsqd: negotiated, encrypted and let in, as the settings ask.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/http/channel.hpp"
#include "host/queue/nsq/frame.hpp"
#include "host/queue/nsq/settings.hpp"

namespace ocelot::queue::nsq {

using Clock = std::chrono::steady_clock;

// What every connection of a queue shares.
struct Access {
  NsqSettings settings;
  std::shared_ptr<http::TlsContext> tls;  // null: plain

  explicit Access(NsqSettings from);  // throws ocelot::Error(invalid) for certificates that cannot be read
};

// For one thread. Each function throws Unavailable when the connection is of no more use.
class Connection {
 public:
  // heartbeat 0: none; for connections that nobody reads from all the time.
  Connection(const Access& access, NsqAddress address, std::chrono::milliseconds heartbeat);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view bytes);
  // The next frame; a heartbeat is answered and returned too. nullopt: `until` has passed, or wake_fd is readable.
  std::optional<Frame> read(Clock::time_point until, int wake_fd = -1);
  // The answer to a command, heartbeats passed over. An error frame is thrown.
  std::string answer(const std::string& to);

  int maxReady() const { return max_ready_; }  // what nsqd allows for RDY
  const NsqAddress& address() const { return address_; }

 private:
  [[noreturn]] void fail(const std::string& why) const;
  void open();
  void negotiate(const Access& access, std::chrono::milliseconds heartbeat);
  void authorize(const std::string& secret);

  const NsqAddress address_;
  std::string doing_ = "connect";
  std::unique_ptr<Poco::Net::StreamSocket> socket_;
  std::unique_ptr<http::Channel> channel_;
  std::string in_;
  int max_ready_ = 1;
  bool auth_required_ = false;
};

}  // namespace ocelot::queue::nsq
