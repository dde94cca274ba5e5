#pragma once
// One exchange with Vault: what is sent along, how long it may take, and what each answer means.

#include <chrono>
#include <cstdint>
#include <string>

#include "host/http/client.hpp"
#include "host/http/json_view.hpp"

namespace ocelot::secrets {

struct VaultPlace {
  std::string url;         // "https://vault.example.org:8200"
  std::string ca_file;     // PEM; "": the system's
  std::string name_space;  // sent as X-Vault-Namespace; "": none
  std::chrono::milliseconds timeout{10000};
  int stop_fd = -1;  // readable: who waits for Vault gives up; stays its owner's. -1: there is none
};

struct VaultReply {
  int status = 0;           // 2xx, 400, 403, 404 or 405
  http::JsonView body;      // absent when the answer had none
  std::string errors;       // what Vault said, for a message; "" when it said nothing
  std::uint64_t login = 0;  // of VaultSession: the number of the login whose token asked
};

// [any] thread.
class VaultHttp {
 public:
  explicit VaultHttp(VaultPlace place);

  struct Request {
    std::string method = "GET";
    std::string path;                      // below /v1/
    std::string body;                      // JSON
    std::string wrap_ttl;                  // "60s": the answer comes wrapped; "": as it is
    std::chrono::milliseconds timeout{0};  // 0: the place's
  };
  // Throws Unavailable when no answer came or Vault cannot serve now: sealed, away, overloaded, a standby that sends
  // elsewhere (a redirect is never followed: the token would go along), or an answer that is none.
  VaultReply send(const std::string& token, const Request& request);

  const std::string& url() const { return place_.url; }

 private:
  const VaultPlace place_;
  http::Client client_;
};

// "put secret repo/1/TOKEN: Vault at https://…: 400 invalid request". Throws Unavailable.
[[noreturn]] void vaultFailed(const VaultHttp& http, const std::string& tried, const std::string& came_back);
std::string said(const VaultReply& reply);  // "403 permission denied"

}  // namespace ocelot::secrets
