#include "host/ticket/ticket.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include "host/model/build.hpp"

namespace ocelot::ticket {
namespace {

std::string signature(const std::string& key, std::string_view text) {
  std::array<unsigned char, 32> raw{};
  unsigned int size = raw.size();
  std::vector<unsigned char> bytes(text.begin(), text.end());
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), raw.data(), &size);
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : raw) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

template <typename Number>
bool read(std::string_view text, Number& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace

// BUILD.ATTEMPT.EXPIRY.NONCE.SIGNATURE
std::string mint(const std::string& key, const Ticket& ticket, std::int64_t now) {
  const std::string text = ticket.build_id + "." + std::to_string(ticket.attempt) + "." +
                           std::to_string(now + kLifeSeconds) + "." + model::newClaimId();
  return text + "." + signature(key, text);
}

std::optional<Ticket> Gate::admit(const std::string& text, std::int64_t now) {
  std::vector<std::string_view> parts;
  std::string_view rest = text;
  for (std::size_t dot; (dot = rest.find('.')) != std::string_view::npos && parts.size() < 5; rest.remove_prefix(dot + 1))
    parts.push_back(rest.substr(0, dot));
  parts.push_back(rest);
  Ticket ticket;
  std::int64_t expiry = 0;
  if (text.size() > 300 || parts.size() != 5 || !read(parts[1], ticket.attempt) || !read(parts[2], expiry))
    return std::nullopt;
  const std::string good = signature(key_, text.substr(0, text.size() - parts[4].size() - 1));
  if (parts[4].size() != good.size() || CRYPTO_memcmp(parts[4].data(), good.data(), good.size()) != 0) return std::nullopt;
  if (expiry < now || expiry > now + kLifeSeconds) return std::nullopt;
  ticket.build_id = parts[0];
  std::lock_guard guard(mutex_);
  std::erase_if(used_, [now](const auto& entry) { return entry.second < now; });
  if (!used_.emplace(parts[3], expiry).second) return std::nullopt;
  return ticket;
}

}  // namespace ocelot::ticket
