#pragma once
// Where NSQ is, and how one is let in.

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace ocelot::queue {

struct NsqAddress {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  std::string text() const;  // "host:4150", "[::1]:4150"
  bool operator<(const NsqAddress& other) const { return std::tie(host, port) < std::tie(other.host, other.port); }
  bool operator==(const NsqAddress& other) const { return host == other.host && port == other.port; }
};

// "host:port", "[::1]:port", or a host alone. Throws std::invalid_argument.
NsqAddress parseNsqAddress(const std::string& text, std::uint16_t port_if_none);

struct NsqSettings {
  std::vector<NsqAddress> nsqd;
  std::vector<std::string> nsqlookupd;  // "http://host:4161": asked for further nsqd
  bool tls = false;
  std::string ca;                // PEM; "": the system's
  std::string certificate, key;  // ours, PEM; "": none
  std::string auth;              // secret for nsqd's authorization server; "": none
};

}  // namespace ocelot::queue
