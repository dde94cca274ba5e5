#pragma once
// What the host lends every plugin, so that a plugin need not link an HTTP or TLS library of its own.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot {
inline namespace v1 {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::uint64_t max_answer_bytes = 8u << 20;  // a longer answer is Error(invalid)
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names as sent
  std::string body;                                          // whole: a cut-off answer is Error(unavailable)
  std::int64_t retry_after_ms = -1;                          // from Retry-After; -1: none
};

// [any] thread.
class Http {
 public:
  virtual ~Http() = default;
  // Returns every answer that has a status, 4xx and 5xx too. Error(unavailable) when there was none; Error(cancelled)
  // at the call's deadline. Verifies TLS; follows no redirect.
  virtual HttpAnswer send(Call&, const HttpRequest&) = 0;
};

// [any] thread.
class Crypto {
 public:
  virtual ~Crypto() = default;
  virtual std::string hmacSha256(std::string_view key, std::string_view data) = 0;  // 32 raw bytes
  virtual std::string sha256(std::string_view data) = 0;                            // 32 raw bytes
  // Constant time for equal lengths.
  virtual bool equal(std::string_view a, std::string_view b) = 0;
  virtual std::string random(std::size_t bytes) = 0;
};

class Host {
 public:
  virtual ~Host() = default;
  virtual Http& http() = 0;
  virtual Crypto& crypto() = 0;
};

}  // namespace v1
}  // namespace ocelot
