#pragma once
// The bridge network: a namespace per container, joined to one bridge by the CNI plugins `bridge` and `static`.
// Addresses are handed out here, by a link each, and address translation is one rule for the whole bridge rather than
// one chain per container: so a container that is gone has left nothing in the firewall, and removing it runs no
// plugin.

#include <cstdint>
#include <string>
#include <vector>

#include "file.hpp"
#include "ocelot/call.hpp"
#include "tool.hpp"

namespace ocelot::oci {

struct Subnet {
  std::uint32_t base = 0;  // host order
  int bits = 24;
  std::uint32_t size() const { return 1u << (32 - bits); }
  std::string text() const;  // "10.89.0.0/24"
};
Subnet parseSubnet(const std::string& text);  // invalid unless "a.b.c.d/n", private or not, n from 8 to 29
std::string addressText(std::uint32_t address);

struct Route {
  std::uint32_t base = 0, mask = 0;
  std::string interface;
};
std::vector<Route> parseRoutes(const std::string& proc_net_route);
// The first of 10.89.0.0/24 … 10.89.255.0/24 that no route of this machine touches.
Subnet freeSubnet(const std::vector<Route>& routes);

// What a container on the bridge may ask: loopback resolvers are the host's own and left out.
std::string usableResolvers(const std::string& resolv_conf);

class Network {
 public:
  // `subnet`: "" picks a free one, once; `plugins`: folders to look for CNI plugins in.
  Network(std::string state_folder, std::string subnet, std::vector<std::string> plugins);

  // "" or what is missing for a bridge, with the remedy.
  std::string whyNot() const;
  struct Attached {
    std::string address;   // "10.89.0.7"
    Fd network_namespace;  // alive as long as this or a process in it
  };
  // A new network namespace on the bridge. Makes bridge and rules when they are not there; asks the firewall at most
  // once a minute.
  Attached attach(Call& call, const std::string& container);
  // Gives the address back. The interface went with its namespace. Safe twice.
  void detach(const std::string& container) const;
  // Takes bridge and rules away, unless a container of whatever process has an address on it. The next one makes them
  // again: some 20 ms, which is why this is for the end of a process and not for the end of each container.
  void rest(Call& call);

  // Name servers for containers on the bridge.
  static std::string resolvConf();

 private:
  struct Rule {
    const char* table;
    std::vector<std::string> words;  // chain first
  };
  static std::vector<Rule> rules(const std::string& bridge, const Subnet& subnet);
  ToolResult iptables(Call& call, const char* verb, const Rule& rule) const;
  void choose(Call& call);
  void prepare(Call& call) const;
  void takeAway(Call& call, const std::string& bridge, const Subnet& subnet) const;
  std::uint32_t lease(Call& call, const std::string& container) const;

  const std::string folder_, wanted_subnet_;
  std::string bridge_plugin_, iptables_, plugin_path_, bridge_;
  Subnet subnet_;
};

}  // namespace ocelot::oci
