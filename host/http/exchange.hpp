#pragma once
// One request and its answer: read, routed, authenticated, handled, written. Reading never waits: where bytes are
// missing the connection goes back to the loop, so that no thread belongs to a client who sends by the byte.

#include <atomic>
#include <memory>
#include <string>

#include "host/http/channel.hpp"
#include "host/http/head.hpp"
#include "host/http/limiter.hpp"
#include "host/http/match.hpp"
#include "host/http/server.hpp"

namespace ocelot::http {

// A body's share of what all bodies may take; given back with it. A body of at most 64 KiB always fits.
class HeldBytes {
 public:
  HeldBytes() = default;
  ~HeldBytes() {
    if (all_) *all_ -= mine_;
  }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  void count(std::atomic<std::int64_t>& all) { all_ = &all; }
  bool grow(std::int64_t bytes, std::int64_t most) {
    mine_ += bytes;
    return (*all_ += bytes) <= most || mine_ <= (64 << 10);
  }

 private:
  std::atomic<std::int64_t>* all_ = nullptr;
  std::int64_t mine_ = 0;
};

// A request whose head was understood, and whose body may still be on its way.
struct Pending {
  Request request;
  const Route* route = nullptr;
  std::string token;
  bool version_11 = true, head_only = false, close = false;
  bool chunked = false;
  std::size_t length = 0;
  ChunkDecoder decoder;
  HeldBytes held;
  bool body_done = false;         // nothing of this request is left on the connection
  std::optional<Answer> refused;  // the answer is known without the handler
  Clock::time_point began;
};

struct Connection {
  // parked: the loop waits for bytes. lingering: the loop swallows what still comes after our last byte.
  enum class State { parked, lingering, busy, streaming };

  std::uint64_t id = 0;
  std::string peer;
  bool tls = false;
  std::unique_ptr<Channel> channel;
  std::string in;  // read and not yet used
  std::unique_ptr<Pending> pending;
  int served = 0;
  std::size_t swallowed = 0;
  // Guarded by the server's mutex; all else belongs to whoever has the connection.
  State state = State::parked;
  Clock::time_point deadline;
};

// A streamed answer that waits for its thread.
struct StreamJob {
  Request request;
  Answer answer;
  std::string token;
  const Route* route = nullptr;
  bool version_11 = true;
  Clock::time_point began;
};

class Exchange {
 public:
  Exchange(const ServerSettings& settings, const Routes& routes, Authenticator authenticator, ServerHooks hooks,
           const std::atomic<bool>& draining, int drain_fd);

  enum class Next { keep, more, close, linger, stream };
  struct Done {
    Next next = Next::close;
    std::shared_ptr<StreamJob> stream;
  };
  // Whether there is something to serve: a whole request, or enough of one to refuse it. Uses up what has come.
  bool ready(Connection& connection);
  Done serve(Connection& connection);  // once ready
  // Until when the bytes that are missing must have come.
  Clock::time_point patience(const Connection& connection) const;
  // Instead of a stream for which there is no thread.
  void refuseStream(Connection& connection, const StreamJob& job);
  Next runStream(Connection& connection, StreamJob& job);

  std::uint64_t requests() const { return requests_; }
  void log(LogLevel level, const std::string& text) const;

 private:
  struct Refused {
    Answer answer;
  };
  static Refused tooLarge(const Route& route);
  void begin(Connection& connection);
  void takeBody(Connection& connection);
  void authenticate(Request& request, const Route& route, std::string& token);
  Answer handle(const Request& request, const Route& route);
  Answer explain(const std::exception& error, const Request& request) const;
  bool send(Connection& connection, const Answer& answer, bool head_only, bool keep);
  std::string headOf(const Answer& answer, bool keep, std::string_view framing) const;
  void tell(const Request& request, const Route* route, int status, Clock::time_point began);
  bool stillAllowed(const StreamJob& job) const;

  const ServerSettings& settings_;
  const Matcher matcher_;
  const Authenticator authenticator_;
  const ServerHooks hooks_;
  const std::atomic<bool>& draining_;
  const int drain_fd_;
  Limiter limiter_;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::int64_t> held_{0};  // bytes of all bodies that are on their way; outlives the connections

  friend class ChunkedWriter;
};

}  // namespace ocelot::http
