#pragma once
// What the operator wrote for one plugin instance, checked by the host against the plugin's option table: required keys
// are there, types hold, defaults are filled in, secrets are resolved. A constructor may still refuse with
// Error(invalid, "<key>: …").

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/host.hpp"

namespace ocelot {
inline namespace v1 {

class Settings {
 public:
  Settings(std::string instance, Host& host) : instance_(std::move(instance)), host_(&host) {}

  // The name of this instance in the configuration: "github", "work-gitea". For messages.
  const std::string& instance() const { return instance_; }
  // What the host lends. Outlives every object made from these settings.
  Host& host() const { return *host_; }

  bool has(std::string_view key) const { return values_.count(std::string(key)) != 0; }
  // Empty when unset and without default.
  std::string text(std::string_view key) const {
    const auto found = values_.find(std::string(key));
    return found == values_.end() || found->second.empty() ? std::string() : found->second.front();
  }
  std::vector<std::string> list(std::string_view key) const {
    const auto found = values_.find(std::string(key));
    return found == values_.end() ? std::vector<std::string>() : found->second;
  }
  // The host checked that these parse; booleans arrive as "true" and "false", numbers in decimal, durations in
  // milliseconds, sizes in bytes.
  std::int64_t number(std::string_view key) const {
    const std::string value = text(key);
    return value.empty() ? 0 : std::stoll(value);
  }
  bool flag(std::string_view key) const { return text(key) == "true"; }

  void set(std::string key, std::vector<std::string> values) { values_[std::move(key)] = std::move(values); }
  const std::map<std::string, std::vector<std::string>>& values() const { return values_; }

 private:
  std::string instance_;
  Host* host_;
  std::map<std::string, std::vector<std::string>> values_;
};

}  // namespace v1
}  // namespace ocelot
