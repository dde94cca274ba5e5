#pragma once
// A small client of HashiCorp Consul: what discovery and the shared configuration need of it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "host/config/config.hpp"
#include "host/http/client.hpp"
#include "host/http/json_view.hpp"

namespace ocelot::consul {

struct ConsulSettings {
  std::string url;         // "http://127.0.0.1:8500"
  std::string ca_file;     // PEM; "": the system's
  std::string token;       // sent as X-Consul-Token; "": none
  std::string datacenter;  // "": the agent's own
  std::string prefix = "ocelot";
  std::chrono::milliseconds timeout{3000};
};

ConsulSettings settingsFrom(const config::Config& config);  // the keys consul.*

// No answer came, or one that is none: Consul is away, has no leader, or refuses. The message says which.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The same, as Consul does not let us: whoever starts gives up, whoever runs waits for somebody to mend it.
class Refused : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

struct Reply {
  int status = 0;  // 200 or 404
  std::string body;
  std::uint64_t index = 0;  // X-Consul-Index; 0: none
};

// [any] thread.
class Consul {
 public:
  explicit Consul(ConsulSettings settings);
  const ConsulSettings& settings() const { return settings_; }

  struct Request {
    std::string method = "GET";
    std::string path;   // below /v1/, encoded
    std::string query;  // "passing=1&index=7", encoded
    std::string body;
    std::chrono::milliseconds wait{0};  // a blocking query may take this much longer
    Call* call = nullptr;               // ends a wait early
  };
  // Throws Unavailable, Refused; Error(cancelled) when the call was.
  Reply send(const Request& request);
  // The same, for what answers JSON: an answer that is none is Unavailable.
  http::JsonView json(const Request& request);

  // "" when there is a leader and it takes our token.
  std::string whyAway();

 private:
  [[noreturn]] void fail(const Request& request, const std::string& came_back) const;
  const ConsulSettings settings_;
  http::Client client_;
};

}  // namespace ocelot::consul
