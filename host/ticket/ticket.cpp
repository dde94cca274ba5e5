#include "host/ticket/ticket.hpp"

#include <charconv>
#include <string_view>
#include <vector>

#include "host/digest/digest.hpp"
#include "host/model/build.hpp"

namespace ocelot::ticket {
namespace {

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
  return text + "." + digest::hmacSha256Hex(key, text);
}

std::optional<Ticket> Gate::admit(const std::string& text, std::int64_t now) {
  std::vector<std::string_view> parts;
  std::string_view rest = text;
  for (std::size_t dot; (dot = rest.find('.')) != std::string_view::npos && parts.size() < 5;
       rest.remove_prefix(dot + 1))
    parts.push_back(rest.substr(0, dot));
  parts.push_back(rest);
  Ticket ticket;
  std::int64_t expiry = 0;
  if (text.size() > 300 || parts.size() != 5 || !read(parts[1], ticket.attempt) || !read(parts[2], expiry))
    return std::nullopt;
  const auto key = key_();
  if (!key) return std::nullopt;
  const std::string good = digest::hmacSha256Hex(*key, text.substr(0, text.size() - parts[4].size() - 1));
  if (!digest::equal(parts[4], good)) return std::nullopt;
  if (expiry < now || expiry > now + kLifeSeconds) return std::nullopt;
  ticket.build_id = parts[0];
  std::lock_guard guard(mutex_);
  std::erase_if(used_, [now](const auto& entry) { return entry.second < now; });
  if (!used_.emplace(parts[3], expiry).second) return std::nullopt;
  return ticket;
}

}  // namespace ocelot::ticket
