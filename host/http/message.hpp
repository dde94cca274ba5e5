#pragma once
// Requests and answers as handlers see them: values, without Poco.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocelot::http {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Each role may do what the ones before it may.
enum class Role { none, viewer, operate, admin };
std::string_view toString(Role role);  // "none" "viewer" "operator" "admin"
std::optional<Role> roleFrom(std::string_view text);

// Who asks, as the Authenticator found out.
struct Identity {
  std::string id;    // of the token
  std::string name;  // "ci-bot"
  Role role = Role::none;
};

// Nothing in it can hold CR, LF or NUL, except the body.
struct Request {
  std::string method;                         // "GET"; a HEAD arrives as GET, and its answer's body is not sent
  std::string path;                           // as sent, still percent-encoded, without the query
  std::map<std::string, std::string> params;  // of the route's pattern, decoded
  Pairs query;                                // decoded, in order
  Pairs headers;                              // names lower-case
  std::string body;                           // whole
  std::string peer;                           // address without port; "unix"
  bool tls = false;
  Identity identity;  // Role::none on a route that needs none

  std::string header(std::string_view lower_case_name) const;  // "" when absent
  std::string param(const std::string& name) const;            // "" when absent
  std::string queryText(std::string_view name, std::string_view fallback = "") const;
  std::optional<std::int64_t> queryNumber(
      std::string_view name) const;             // nullopt: absent; throws Refusal(400) when bad
  bool queryFlag(std::string_view name) const;  // "true", "1" and "" (as in ?follow) count
  bool fromLoopback() const;                    // 127/8, ::1 or a unix socket, and no sign of a proxy in between
};

// The other end of a streamed answer. For the handler's thread alone.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // false: return now, nobody listens: the reader left, has taken nothing for 60 s, lost its token, or the server
  // drains.
  virtual bool write(std::string_view bytes) = 0;
  // Waits until `fd` is readable (-1: none) or the time is over; meanwhile sends the heartbeat and notices a reader
  // that left. false as with write().
  virtual bool wait(std::chrono::milliseconds at_most, int fd = -1) = 0;
  // The server is being drained: a stream may say so in its last words before it returns.
  virtual bool draining() const = 0;
};

bool isLoopback(std::string_view peer);

struct Answer {
  int status = 200;
  Pairs headers;
  std::string body;
  std::string content_type = "application/json";
  // When set, `body` is ignored: runs on a thread of the streams' own budget and writes a chunked body. Its last chunk
  // is sent only when it returns true; false cuts the connection, so that the reader knows that the end is missing.
  std::function<bool(StreamWriter&)> stream;
  // With a stream: run before it, on the same thread, where what the head says takes time to find out. It fills in
  // what it knows; what it throws becomes the answer.
  std::function<void(Answer&)> prepare;
  std::string heartbeat;  // sent after 15 s of silence; ": ping\n\n" for an event stream; "": only look for the end
};

Answer json(std::string body, int status = 200);
Answer text(std::string body, int status = 200);  // text/plain; charset=utf-8
Answer nothing();                                 // 204
// {"error": code, "message": …, "hint": …}; `error` is for programs ("not_found"), the rest for people.
Answer failure(int status, std::string_view error, std::string_view message, std::string_view hint = "");
Answer redirect(std::string location, int status = 307);

// Thrown by a handler to end with an error answer.
class Refusal : public std::runtime_error {
 public:
  Refusal(int with_status, std::string code, const std::string& message, std::string advice = "")
      : std::runtime_error(message), status(with_status), error(std::move(code)), hint(std::move(advice)) {}
  int status;
  std::string error;
  std::string hint;
  std::int64_t retry_after_s = -1;  // as Retry-After; -1: none
};

}  // namespace ocelot::http
