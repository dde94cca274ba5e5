#pragma once
// One connection to the engine's unix socket, on which every wait ends: at the call's cancellation, at a total limit,
// or when nothing moved for too long. Poco's own time-outs are per read, and a hung engine outlives them.

#include <Poco/Net/HTTPClientSession.h>

#include <chrono>
#include <memory>
#include <string>

#include "ocelot/call.hpp"

namespace ocelot::docker {

struct Patience {
  std::chrono::milliseconds total{30000};  // of the whole exchange; 0: none
  std::chrono::milliseconds idle{0};       // between two moves of the wire; 0: none
};

// Why a connection stopped moving. Poco's streams swallow exceptions, so the reason is kept here.
enum class Broken { no, closed, cancelled, deadline, limit, idle, refused, missing, forbidden, failed };

struct WireState {
  const Call* call = nullptr;
  Patience patience;
  Call::Clock::time_point begin, moved;
  Broken broken = Broken::no;
  int error = 0;        // errno, when failed
  bool hungUp = false;  // the engine takes no more; what it answered before may still be read

  // Waits until `fd` is ready for `events` (-1: for `atMost`); false with `broken` set when there is no more waiting.
  bool await(int fd, short events, std::chrono::milliseconds atMost = std::chrono::hours(24));
};

class Session final : public Poco::Net::HTTPClientSession {
 public:
  Session(std::string path, const Call& call, Patience patience);
  // Connects. The reason of a failure is in state().
  bool open();
  // Nothing more is sent, also not the end of a body that is not whole: Poco would write it on the way out.
  void breakOff() { state_->broken = Broken::failed; }
  const WireState& state() const { return *state_; }

 protected:
  void connect(const Poco::Net::SocketAddress&) override;

 private:
  std::string path_;
  std::shared_ptr<WireState> state_;
};

}  // namespace ocelot::docker
