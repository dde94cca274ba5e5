#include "host/engines/explain.hpp"

#include "host/secrets/secrets.hpp"
#include "host/store/store.hpp"

namespace ocelot::engines {
namespace {

constexpr const char* kRetryAfterSeconds = "5";

http::Answer away(std::string_view code, std::string_view which, const std::exception& error) {
  http::Answer answer =
      http::failure(503, code, std::string(which) + " is away: " + error.what(), "try again in a moment");
  answer.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  return answer;
}

}  // namespace

std::optional<http::Answer> explain(const std::exception& error) {
  if (dynamic_cast<const store::Unavailable*>(&error)) return away("store_away", "the store", error);
  if (dynamic_cast<const secrets::Unavailable*>(&error)) return away("secrets_away", "the secret store", error);
  if (dynamic_cast<const secrets::Refused*>(&error)) return http::failure(502, "secrets_refused", error.what());
  if (dynamic_cast<const store::Conflict*>(&error)) return http::failure(409, "conflict", error.what());
  return std::nullopt;
}

}  // namespace ocelot::engines
