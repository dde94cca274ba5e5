#pragma once
// What the host lends and what it tells a new instance, across the wire: HostWire lends a Host out as C tables,
// LentHost is one that was lent; the same for Settings.

#include <cstdint>

#include "ocelot/abi/host.h"
#include "ocelot/bind/import.hpp"
#include "ocelot/host.hpp"
#include "ocelot/settings.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

// ── the host's end ──

class HostWire : public ocelot_host {
 public:
  explicit HostWire(Host& host) : ocelot_host{}, host_(host) {
    size = sizeof(ocelot_host);
    abi_minor = OCELOT_ABI_MINOR;
    query = [](const ocelot_host*, const char* id) -> const void* {
      static const ocelot_host_http http{sizeof(ocelot_host_http), &send};
      static const ocelot_host_crypto crypto{sizeof(ocelot_host_crypto), &hmac, &digest, &equal, &random};
      const std::string_view asked = id == nullptr ? "" : id;
      if (asked == OCELOT_HOST_HTTP) return &http;
      if (asked == OCELOT_HOST_CRYPTO) return &crypto;
      return nullptr;
    };
  }
  HostWire(const HostWire&) = delete;
  HostWire& operator=(const HostWire&) = delete;

 private:
  static Host& of(const ocelot_host* self) { return static_cast<const HostWire*>(self)->host_; }
  static constexpr auto kNobody = [](const char*) {};

  static ocelot_status send(const ocelot_host* self, ocelot_call* call, const ocelot_http_request* asked,
                            const ocelot_http_answers* answers) {
    return answer(call, "http", [&](Call& lent) {
      const ocelot_http_request wire = seen(asked);
      HttpRequest request;
      request.method = text(wire.method);
      request.url = text(wire.url);
      request.headers = pairs(wire.headers, kMostPairs, "headers of a request");
      request.body = text(wire.body);
      if (wire.max_answer_bytes != 0) request.max_answer_bytes = wire.max_answer_bytes;
      const HttpAnswer got = of(self).http().send(lent, request);
      const LentPairs headers(got.headers);
      emit(answers, ocelot_http_answer{sizeof(ocelot_http_answer), got.status, headers.get(), str(got.body),
                                       got.retry_after_ms});
    });
  }
  static void write(const std::string& bytes, unsigned char* out, std::size_t size) {
    if (bytes.size() != size) throw Error(Status::internal, "a digest of the wrong length");
    std::memcpy(out, bytes.data(), size);
  }
  static ocelot_status hmac(const ocelot_host* self, ocelot_str key, ocelot_str data, unsigned char* out) {
    return guarded("hmac", kNobody, [&] { write(of(self).crypto().hmacSha256(view(key), view(data)), out, 32); });
  }
  static ocelot_status digest(const ocelot_host* self, ocelot_str data, unsigned char* out) {
    return guarded("sha256", kNobody, [&] { write(of(self).crypto().sha256(view(data)), out, 32); });
  }
  static std::int32_t equal(const ocelot_host* self, ocelot_str a, ocelot_str b) {
    bool same = false;
    guarded("equal", kNobody, [&] { same = of(self).crypto().equal(view(a), view(b)); });
    return same ? 1 : 0;
  }
  static ocelot_status random(const ocelot_host* self, unsigned char* out, std::size_t bytes) {
    return guarded("random", kNobody, [&] { write(of(self).crypto().random(bytes), out, bytes); });
  }

  Host& host_;
};

// Borrows from `settings`.
class SettingsWire : public ocelot_settings {
 public:
  explicit SettingsWire(Settings&&) = delete;  // it borrows
  explicit SettingsWire(const Settings& settings) : ocelot_settings{} {
    for (const auto& [key, values] : settings.values()) {
      values_.emplace_back(values);
      rows_.push_back({sizeof(ocelot_setting), str(key), values_.back().get()});
    }
    size = sizeof(ocelot_settings);
    instance = str(settings.instance());
    rows = rows_.data();
    count = rows_.size();
  }
  SettingsWire(const SettingsWire&) = delete;
  SettingsWire& operator=(const SettingsWire&) = delete;

 private:
  std::vector<LentTexts> values_;
  std::vector<ocelot_setting> rows_;
};

// ── the plugin's end ──

class LentHost final : public Host, private Http, private Crypto {
 public:
  explicit LentHost(const ocelot_host* host) : host_(host), wire_("the host", {}) {
    const ocelot_host known = seen(host);
    if (known.query == nullptr) return;
    if (const auto* http = static_cast<const ocelot_host_http*>(known.query(host, OCELOT_HOST_HTTP)))
      http_ = seen(http);
    if (const auto* crypto = static_cast<const ocelot_host_crypto*>(known.query(host, OCELOT_HOST_CRYPTO)))
      crypto_ = seen(crypto);
  }
  Http& http() override { return *this; }
  Crypto& crypto() override { return *this; }

 private:
  HttpAnswer send(Call& call, const HttpRequest& request) override {
    need(http_.send != nullptr, "http");
    const LentPairs headers(request.headers);
    const ocelot_http_request asked{
        sizeof(ocelot_http_request), str(request.method),     str(request.url), headers.get(),
        str(request.body),           request.max_answer_bytes};
    return wire_.callForOne<HttpAnswer>(
        call, "http", Wire::Turn::any, [&](Wire::Loans& loans, std::optional<HttpAnswer>& out) {
          const auto* sink = loans.one<ocelot_http_answers, ocelot_http_answer>(out, [](const ocelot_http_answer& got) {
            return HttpAnswer{got.status, pairs(got.headers, kMostPairs, "headers of an answer"), text(got.body),
                              got.retry_after_ms};
          });
          return http_.send(host_, loans.call(), &asked, sink);
        });
  }
  std::string hmacSha256(std::string_view key, std::string_view data) override {
    need(crypto_.hmac_sha256 != nullptr, "hmac_sha256");
    return filled(32, "hmac_sha256",
                  [&](unsigned char* out) { return crypto_.hmac_sha256(host_, str(key), str(data), out); });
  }
  std::string sha256(std::string_view data) override {
    need(crypto_.sha256 != nullptr, "sha256");
    return filled(32, "sha256", [&](unsigned char* out) { return crypto_.sha256(host_, str(data), out); });
  }
  bool equal(std::string_view a, std::string_view b) override {
    need(crypto_.equal != nullptr, "equal");
    return crypto_.equal(host_, str(a), str(b)) == 1;
  }
  std::string random(std::size_t bytes) override {
    need(crypto_.random != nullptr, "random");
    return filled(bytes, "random", [&](unsigned char* out) { return crypto_.random(host_, out, bytes); });
  }

  static void need(bool there, const char* what) {
    if (!there) throw Error(Status::unsupported, std::string("this host lends no ") + what);
  }
  template <class Fill>
  static std::string filled(std::size_t bytes, const char* what, Fill&& fill) {
    std::string out(bytes, '\0');
    const ocelot_status status = fill(reinterpret_cast<unsigned char*>(out.data()));
    if (status != OCELOT_OK) throw Error(statusFrom(status), std::string("the host's ") + what + " failed");
    return out;
  }

  const ocelot_host* host_;
  ocelot_host_http http_{};
  ocelot_host_crypto crypto_{};
  Wire wire_;
};

inline Settings settingsFrom(const ocelot_settings* lent, Host& host) {
  const ocelot_settings known = seen(lent);
  Settings settings(text(known.instance), host);
  each(known.rows, known.count, [&](const ocelot_setting& row) {
    settings.set(text(row.key), texts(row.values, kMostPairs, "values of a setting"));
  });
  return settings;
}

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
