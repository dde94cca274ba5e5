#pragma once
// Which addresses a plugin may be connected to.

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::plugin {

// An IPv6 address, or an IPv4 one in its mapped form (::ffff:a.b.c.d).
using AddressBytes = std::array<unsigned char, 16>;
// Throws Error(invalid) for text that is no numeric address.
AddressBytes addressFrom(const std::string& text);

// Reached from everywhere? Not: loopback, private, link-local, shared (100.64/10), unspecified, multicast, reserved,
// and the forms of IPv6 that carry such an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo).
bool isPublic(const AddressBytes& address);

// Networks and host names that are allowed all the same.
class AllowedAddresses {
 public:
  // "10.1.0.0/16", "fd00::/8", "192.0.2.7", or a host name. Throws Error(invalid) naming the entry.
  explicit AllowedAddresses(const std::vector<std::string>& entries);
  bool holds(std::string_view host, const AddressBytes& address) const;

 private:
  struct Network {
    AddressBytes address;
    int bits;
  };
  std::vector<Network> networks_;
  std::vector<std::string> hosts_;
};

}  // namespace ocelot::plugin
