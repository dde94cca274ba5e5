#include "host/plugin/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "ocelot/call.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::plugin {
namespace {

constexpr AddressBytes kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

std::optional<AddressBytes> numeric(const std::string& text) {
  AddressBytes address = kMapped;
  if (inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1) return address;
  // A scope ("fe80::1%eth0") says where a link-local address lies, not what it is.
  if (inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

bool within(const AddressBytes& address, const AddressBytes& network, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(address.data(), network.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8);
  return ((address[whole] ^ network[whole]) & mask) == 0;
}

bool within(const AddressBytes& address, const char* network, int bits) {
  return within(address, *numeric(network), bits);
}

// `bits` of an IPv4 network.
bool within4(const AddressBytes& address, const char* network, int bits) { return within(address, network, 96 + bits); }

bool isPublic4(const AddressBytes& address) {
  struct Range {
    const char* network;
    int bits;
  };
  static constexpr Range kSpecial[] = {
      {"0.0.0.0", 8},     {"10.0.0.0", 8},      {"100.64.0.0", 10},  {"127.0.0.0", 8},    {"169.254.0.0", 16},
      {"172.16.0.0", 12}, {"192.0.0.0", 24},    {"192.0.2.0", 24},   {"192.88.99.0", 24}, {"192.168.0.0", 16},
      {"198.18.0.0", 15}, {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"224.0.0.0", 4},    {"240.0.0.0", 4}};
  return std::none_of(std::begin(kSpecial), std::end(kSpecial),
                      [&](const Range& range) { return within4(address, range.network, range.bits); });
}

// The IPv4 address that stands at `offset`.
AddressBytes inner(const AddressBytes& address, std::size_t offset) {
  AddressBytes mapped = kMapped;
  std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(offset), 4, mapped.begin() + 12);
  return mapped;
}

}  // namespace

AddressBytes addressFrom(const std::string& text) {
  const auto address = numeric(text);
  if (!address) throw Error(Status::invalid, "\"" + text + "\" is no IP address");
  return *address;
}

bool isPublic(const AddressBytes& address) {
  if (within(address, kMapped, 96)) return isPublic4(address);
  if (within(address, "64:ff9b::", 96)) return isPublic4(inner(address, 12));  // NAT64
  if (within(address, "2002::", 16)) return isPublic4(inner(address, 2));      // 6to4
  // Only 2000::/3 is given out; of it, Teredo, documentation and benchmarking lead nowhere good.
  return within(address, "2000::", 3) && !within(address, "2001::", 23) && !within(address, "2001:db8::", 32);
}

AllowedAddresses::AllowedAddresses(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const auto slash = entry.find('/');
    const auto address = numeric(entry.substr(0, slash));
    if (!address) {
      const bool name = slash == std::string::npos && !entry.empty() && entry.size() <= 253 &&
                        std::all_of(entry.begin(), entry.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                 c == '-' || c == '.' || c == '_';
                        });
      if (!name)
        throw Error(Status::invalid,
                    "\"" + entry + "\" is neither a network (\"10.1.0.0/16\"), an address nor a host name");
      hosts_.push_back(entry);
      std::transform(entry.begin(), entry.end(), hosts_.back().begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      continue;
    }
    const bool four = entry.find(':') == std::string::npos;
    const int most = four ? 32 : 128;
    const auto bits =
        slash == std::string::npos ? std::optional<std::int64_t>(most) : parseNumber(entry.substr(slash + 1));
    if (!bits || *bits < 0 || *bits > most)
      throw Error(Status::invalid, "\"" + entry + "\": a network ends with /0 to /" + std::to_string(most));
    networks_.push_back({*address, static_cast<int>(*bits) + (four ? 96 : 0)});
  }
}

bool AllowedAddresses::holds(std::string_view host, const AddressBytes& address) const {
  const auto same = [&](const std::string& allowed) {
    return std::equal(allowed.begin(), allowed.end(), host.begin(), host.end(), [](char a, char b) {
      return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
    });
  };
  return std::any_of(hosts_.begin(), hosts_.end(), same) ||
         std::any_of(networks_.begin(), networks_.end(),
                     [&](const Network& network) { return within(address, network.address, network.bits); });
}

}  // namespace ocelot::plugin
