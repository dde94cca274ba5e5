#include "host/secrets/vault_http.hpp"

#include <poll.h>

#include "host/secrets/secrets.hpp"

namespace ocelot::secrets {
namespace {

// A value of 64 KiB, each byte escaped, and what stands around it; a list of ten thousand names.
constexpr std::uint64_t kLongestAnswer = 4u << 20;
constexpr std::size_t kLongestError = 300;

// Ends at its deadline, and when the descriptor becomes readable.
class VaultCall final : public Call {
 public:
  VaultCall(std::chrono::milliseconds timeout, int stop_fd) : deadline_(Clock::now() + timeout), stop_fd_(stop_fd) {}
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override {
    pollfd stop{stop_fd_, POLLIN, 0};
    return stop_fd_ >= 0 && ::poll(&stop, 1, 0) > 0;
  }
  int cancelFd() const override { return stop_fd_; }
  void log(LogLevel, std::string_view) override {}

 private:
  const Clock::time_point deadline_;
  const int stop_fd_;
};

http::ClientSettings clientSettings(const VaultPlace& place) {
  http::ClientSettings settings;
  settings.url = place.url;
  settings.ca_file = place.ca_file;
  settings.connect_timeout = std::min(settings.connect_timeout, place.timeout);
  return settings;
}

std::string errorsOf(const http::JsonView& body) {
  std::string all;
  for (const auto& error : body["errors"].texts()) all += (all.empty() ? "" : "; ") + error;
  for (char& c : all)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return all.substr(0, kLongestError);
}

std::string whyNotServed(int status, const http::JsonView& body, const std::string& errors) {
  if (status == 503 && (errors.find("sealed") != std::string::npos || body["sealed"].flag() == true))
    return "it is sealed; unseal it (`vault operator unseal`)";
  if (status == 501) return "it is not initialised (`vault operator init`)";
  if (status == 429) return "it refuses more requests for now (429)";
  if (status >= 300 && status < 400)
    return "it answers " + std::to_string(status) +
           ", a redirect, which is not followed; give vault.url the active node or a load balancer";
  return "it answers " + std::to_string(status) + (errors.empty() ? "" : ": " + errors);
}

}  // namespace

VaultHttp::VaultHttp(VaultPlace place) : place_(std::move(place)), client_(clientSettings(place_)) {}

VaultReply VaultHttp::send(const std::string& token, const Request& request) {
  HttpRequest out;
  out.method = request.method;
  out.url = "/v1/" + request.path;
  out.body = request.body;
  out.max_answer_bytes = kLongestAnswer;
  out.headers.emplace_back("X-Vault-Request", "true");
  if (!token.empty()) out.headers.emplace_back("X-Vault-Token", token);
  if (!place_.name_space.empty()) out.headers.emplace_back("X-Vault-Namespace", place_.name_space);
  if (!request.wrap_ttl.empty()) out.headers.emplace_back("X-Vault-Wrap-TTL", request.wrap_ttl);
  if (!out.body.empty()) out.headers.emplace_back("Content-Type", "application/json");

  HttpAnswer answer;
  try {
    VaultCall call(request.timeout.count() > 0 ? request.timeout : place_.timeout, place_.stop_fd);
    answer = client_.send(call, out);
  } catch (const Error& error) {
    throw Unavailable(std::string("ask Vault: ") + error.what());
  }
  const std::string tried = request.method + " " + request.path;
  const auto body = http::JsonView::parse(answer.body);
  VaultReply reply{answer.status, body.value_or(http::JsonView()), ""};
  reply.errors = errorsOf(reply.body);
  const bool good = answer.status >= 200 && answer.status < 300;
  if (good && !answer.body.empty() && !reply.body.isObject())
    vaultFailed(*this, tried, "the answer is not the JSON of a Vault; is vault.url right?");
  const bool told = answer.status == 400 || answer.status == 403 || answer.status == 404 || answer.status == 405;
  if (!good && !told) vaultFailed(*this, tried, whyNotServed(answer.status, reply.body, reply.errors));
  return reply;
}

void vaultFailed(const VaultHttp& http, const std::string& tried, const std::string& came_back) {
  throw Unavailable(tried + ": Vault at " + http.url() + ": " + came_back);
}

std::string said(const VaultReply& reply) {
  return std::to_string(reply.status) + (reply.errors.empty() ? "" : " " + reply.errors);
}

}  // namespace ocelot::secrets
