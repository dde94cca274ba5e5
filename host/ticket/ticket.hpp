#pragma once
// Leave to read one attempt's live log at the worker that runs it: made by admin, checked by the worker, both holding
// the same key. Read only, 60 s, and each ticket opens one connection.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace ocelot::ticket {

inline constexpr std::int64_t kLifeSeconds = 60;
// The key's name in the secret store: 32 random bytes, made by whoever needs it first.
inline constexpr const char* kKeySecret = "system/ticket-key";

// Gives the key; nullopt while it cannot be had. Called for each ticket. [any] thread.
using KeySource = std::function<std::optional<std::string>()>;

struct Ticket {
  std::string build_id;
  int attempt = 0;
};

// `now`: seconds since the epoch.
std::string mint(const std::string& key, const Ticket& ticket, std::int64_t now);

// [any] thread.
class Gate {
 public:
  explicit Gate(KeySource key) : key_(std::move(key)) {}
  explicit Gate(std::string key) : key_([key = std::move(key)] { return key; }) {}
  // Without its key it admits nobody.
  bool hasKey() const { return key_().has_value(); }
  // What the ticket opens; nullopt when it is forged, too old, or was used before.
  std::optional<Ticket> admit(const std::string& text, std::int64_t now);

 private:
  const KeySource key_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> used_;  // nonce → when it may be forgotten
};

}  // namespace ocelot::ticket
