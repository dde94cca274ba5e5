#pragma once
// Where a request goes.

#include <cstdint>
#include <string>

namespace ocelot::http {

struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string socket_path;   // of a unix socket: instead of host and port
  std::string target = "/";  // path and query, as sent

  std::string authority() const;  // for the Host header
  std::string shown() const;      // for messages: without the query, which may hold a ticket
  bool sameOrigin(const Url& other) const;
};

// "http://host:port/path?query", "https://…", "unix:/path/of/socket". Throws Error(invalid). No user:password@.
Url parseUrl(const std::string& text);
// A whole URL, or a path from the root ("/v1/…") that is put behind the base's own path.
Url resolve(const Url& base, const std::string& reference);

}  // namespace ocelot::http
