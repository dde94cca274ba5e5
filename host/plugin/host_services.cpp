#include "host/plugin/host_services.hpp"

#include <openssl/rand.h>

#include "host/digest/digest.hpp"
#include "host/http/client.hpp"
#include "host/http/url.hpp"
#include "host/plugin/address.hpp"

namespace ocelot::plugin {
namespace {

http::ClientSettings clientSettings(const HostServicesSettings& settings) {
  http::ClientSettings client;
  client.ca_file = settings.ca_file;
  client.user_agent = settings.user_agent;
  const AllowedAddresses allowed(settings.allowed);
  if (settings.public_only)
    client.may_connect = [allowed](const std::string& host, const std::string& address) {
      const AddressBytes bytes = addressFrom(address);
      if (!isPublic(bytes) && !allowed.holds(host, bytes))
        throw Error(Status::invalid,
                    host + " is " + address + ", which is not a public address; an administrator can allow it");
    };
  return client;
}

}  // namespace

class HostServices::Web final : public Http {
 public:
  explicit Web(const HostServicesSettings& settings) : client_(clientSettings(settings)) {}

  HttpAnswer send(Call& call, const HttpRequest& request) override {
    const http::Url url = http::parseUrl(request.url);
    if (!url.socket_path.empty())
      throw Error(Status::invalid, request.method + " " + url.shown() + ": plugins reach http:// and https:// only");
    return client_.send(call, request);
  }

 private:
  http::Client client_;
};

class HostServices::Digests final : public Crypto {
 public:
  std::string hmacSha256(std::string_view key, std::string_view data) override { return digest::hmacSha256(key, data); }
  std::string sha256(std::string_view data) override { return digest::sha256(data); }
  bool equal(std::string_view a, std::string_view b) override { return digest::equal(a, b); }
  std::string random(std::size_t bytes) override {
    if (bytes > (1u << 20)) throw Error(Status::invalid, "more than 1 MiB of random bytes");
    std::string out(bytes, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1)
      throw Error(Status::internal, "no random bytes to be had");
    return out;
  }
};

HostServices::HostServices(HostServicesSettings settings)
    : web_(std::make_unique<Web>(settings)), digests_(std::make_unique<Digests>()) {}
HostServices::~HostServices() = default;
Http& HostServices::http() { return *web_; }
Crypto& HostServices::crypto() { return *digests_; }

}  // namespace ocelot::plugin
