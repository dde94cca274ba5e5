#pragma once
// A small HTTP/1.1 client for the daemons and the command line: one connection a request, every wait bounded by the
// call, TLS always verified, a cut-off answer always noticed.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ocelot/host.hpp"

namespace ocelot::http {

struct ClientSettings {
  std::string url;  // base: "https://ci.example.org", "http://127.0.0.1:7700", "unix:/run/ocelot/admin.sock"; "": none
  std::string token;    // sent as bearer to the base's own scheme, host and port, never elsewhere
  std::string ca_file;  // PEM; "": the system's
  std::string user_agent = "ocelot/" OCELOT_VERSION;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds silence_timeout{60000};  // without a byte; servers send a heartbeat every 15 s
  // How often a 307 or 308 is followed (for GET also 301, 302, 303). Never from https to http; a redirect to another
  // origin loses the token and the Authorization header.
  int max_redirects = 0;
  // Asked for each address (numeric) of `host` before it is connected to; throws Error to refuse. A name is looked up
  // once a request, so the address that was asked about is the very one connected to. Not asked for unix sockets.
  std::function<void(const std::string& host, const std::string& address)> may_connect;
};

// Where a redirect led gave no answer; whoever redirected did.
class ElsewhereAway : public Error {
 public:
  explicit ElsewhereAway(const std::string& what) : Error(Status::unavailable, what) {}
};

// An answer's body, taken as it comes by whoever waits for other things too. For one thread.
class Download {
 public:
  enum class Got { bytes, nothing, end };

  virtual ~Download() = default;
  // Appends what has come, at most some 64 KiB, and never waits. nothing: fd() is readable when there is more; end:
  // that was all. Throws Error(unavailable) where the body was cut off, or is none.
  virtual Got read(std::string& into) = 0;
  virtual int fd() const = 0;
};

// [any] thread.
class Client final : public ocelot::Http {
 public:
  explicit Client(ClientSettings settings);  // throws Error(invalid) for a bad URL
  ~Client() override;

  // A request's url is whole, or a path ("/v1/builds?limit=5") under the base. Returns every answer that has a status.
  // Error(unavailable): none came (ElsewhereAway: from where a redirect led), or it was cut off; Error(cancelled): the
  // call ended; Error(invalid): a bad URL, or an answer beyond max_answer_bytes. Messages name method, URL (without its
  // query) and what came back.
  HttpAnswer send(Call& call, const HttpRequest& request) override;

  // For answers that do not end soon. `head` gets status and headers (its body is empty) and says whether to go on; an
  // answer that is not 2xx is read whole, as by send(), and given to `head` instead. `bytes` gets the body as it comes
  // and says whether to go on. Returns true when the body came to its end, false when a callback stopped it. Where it
  // ended too early: Error(unavailable): resume by asking again from the offset reached.
  bool stream(Call& call, const HttpRequest& request, const std::function<bool(const HttpAnswer&)>& head,
              const std::function<bool(std::string_view)>& bytes);

  // The same for a caller with a loop of its own: when it returns, the head has come. nullptr: the status is not 2xx,
  // and the answer whole, as by send().
  std::unique_ptr<Download> open(Call& call, const HttpRequest& request, HttpAnswer& head);

  const ClientSettings& settings() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The value of a header whatever its case; "" when absent.
std::string headerOf(const HttpAnswer& answer, std::string_view name);
// Percent-encodes one path segment or query value: all but unreserved characters.
std::string encode(std::string_view text);

}  // namespace ocelot::http
