#pragma once
// The HTTP server of every daemon: strict HTTP/1.1, bounded in everything that a client can make it do.
//
//   routes ─► Server(settings, routes, authenticator) ─► … requests … ─► drain() ─► ~Server
//
// A connection that waits (idle, or sending its request line by the byte) costs no thread; a request has one for as
// long as its handler runs; a stream has one of a second budget, so that followers of logs cannot starve the API.
// Handlers run on [any] thread, many at once. What a handler throws becomes an answer: Refusal as it says,
// ocelot::Error by its status (invalid 400, not_found 404, unavailable 503, …), anything else 500 and a log line.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/message.hpp"
#include "ocelot/call.hpp"

namespace ocelot::http {

using Handler = std::function<Answer(const Request&)>;

struct Route {
  std::string method;        // GET POST PUT PATCH DELETE
  std::string pattern;       // "/v1/builds/{id}/log"; a last "{rest*}" takes the remaining segments
  Role role = Role::viewer;  // at least; Role::none: open, and the reason stands beside the route
  Handler handler;
  std::int64_t max_body_bytes = 1 << 20;  // longer: 413
};

// The table of what a daemon answers. Filled before the server starts; a test can hold it against a description.
class Routes {
 public:
  // Throws std::logic_error for a bad pattern, or one that another route hides.
  void add(Route route);
  void get(std::string pattern, Role role, Handler handler);
  void post(std::string pattern, Role role, Handler handler);
  void del(std::string pattern, Role role, Handler handler);
  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

// Who holds this token; nullopt: nobody. May throw ocelot::Error(unavailable) when that cannot be found out now.
// Called again every 30 s of a stream.
using Authenticator = std::function<std::optional<Identity>(const Request&, const std::string& token)>;

struct ServerSettings {
  std::string listen = "127.0.0.1:0";  // "HOST:PORT", "[::1]:PORT", "unix:/path" (mode 0600)
  std::string tls_certificate;         // PEM, full chain; with tls_key: https
  std::string tls_key;
  std::string name = "ocelot";  // of the Server header
  int threads = 16;             // requests at once
  int max_streams = 256;        // streamed answers at once; more: 503
  int max_connections = 1024;
  int max_connections_per_peer = 128;
  bool limit_loopback = false;  // count this machine's own addresses too: a proxy has one for everybody
  std::chrono::milliseconds head_timeout{10000};        // from the first byte wanted to the end of the head
  std::chrono::milliseconds body_timeout{30000};        // of the whole body, plus a second per 64 KiB
  std::chrono::milliseconds keep_alive_timeout{15000};  // between requests
  std::chrono::milliseconds send_timeout{10000};        // of one answer without progress
  std::chrono::milliseconds stream_timeout{60000};      // of a stream without progress
  std::chrono::milliseconds heartbeat{15000};
  std::chrono::milliseconds recheck{30000};  // of a stream's token
  int failures_per_minute = 10;              // wrong tokens of one peer; more: 429
};

// Told about every finished request: for metrics and the log. The path is the route's pattern, or "" when none fitted.
struct Served {
  std::string method, pattern, peer, identity;
  int status = 0;
  std::chrono::microseconds took{0};
};

struct ServerHooks {
  std::function<void(const Served&)> served;
  std::function<void(LogLevel, std::string_view)> log;
  // Asked first about what a handler or the authenticator threw; nullopt: as said above.
  std::function<std::optional<Answer>(const std::exception&)> explain;
};

// 400 for invalid, 503 for unavailable, …
int statusFor(Status status);

class Server {
 public:
  // Listens when it returns. Throws ocelot::Error(unavailable) when the address cannot be had and Error(invalid) for a
  // certificate that does not load. No authenticator: every route that needs a role answers 401.
  Server(ServerSettings settings, Routes routes, Authenticator authenticator, ServerHooks hooks = {});
  ~Server();  // drain(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;   // the one it got when the settings said 0; 0 for a unix socket
  std::string address() const;  // "127.0.0.1:43121"
  std::string url() const;      // "http://127.0.0.1:43121"

  // Stops accepting, lets running requests and streams end, at most for `grace`, then cuts them. Safe twice.
  void drain(std::chrono::milliseconds grace);

  struct Load {
    int connections = 0, busy = 0, streams = 0;
    std::uint64_t requests = 0, refused_connections = 0, timeouts = 0;
  };
  Load load() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ocelot::http
