#pragma once
// What a daemon lends its plugins: HTTP and cryptography.

#include <memory>
#include <string>
#include <vector>

#include "ocelot/host.hpp"

namespace ocelot::plugin {

struct HostServicesSettings {
  std::string ca_file;  // PEM; "": the system's
  std::string user_agent = "ocelot/" OCELOT_VERSION;
  // Refuse addresses that are not public: loopback, private, link-local, shared, multicast. For URLs that come from
  // repos (a webhook in ocelot.yml), so that nobody makes the daemon ask its neighbours. A name is resolved once, and
  // the address that was checked is the one connected to.
  bool public_only = false;
  std::vector<std::string> allowed;  // exceptions: "10.1.0.0/16", "fd00::/8", "192.0.2.7", or a host name
};

// Outlives every plugin object made with it. [any] thread.
class HostServices final : public Host {
 public:
  explicit HostServices(HostServicesSettings settings = {});  // throws Error(invalid) for a bad entry of `allowed`
  ~HostServices() override;
  Http& http() override;
  Crypto& crypto() override;

 private:
  class Web;
  class Digests;
  std::unique_ptr<Web> web_;
  std::unique_ptr<Digests> digests_;
};

}  // namespace ocelot::plugin
