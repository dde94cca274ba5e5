#include "host/config/tables.hpp"

#include <algorithm>

#include "host/config/values.hpp"

namespace ocelot::config {
namespace {

bool endsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool startsWith(std::string_view text, std::string_view begin) { return text.substr(0, begin.size()) == begin; }

// "127.0.0.1:7700", "[::1]:7700", "unix:/run/ocelot/admin.sock"
bool isListenAddress(std::string_view text) {
  if (startsWith(text, "unix:/")) return text.size() <= 5 + 107;  // what a socket address holds
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = parseNumber(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos && !(host.front() == '[' && host.back() == ']')) return false;
  return port && *port >= 0 && *port <= 65535;
}

std::string oneOf(std::string_view choices, std::string_view given) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= choices.size();) {
    const auto end = std::min(choices.find('|', begin), choices.size());
    names.emplace_back(choices.substr(begin, end - begin));
    begin = end + 1;
  }
  if (std::find(names.begin(), names.end(), given) != names.end()) return "";
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return (names.size() == 1 ? "can only be " : "must be one of ") + list + ", not \"" + std::string(given) + "\"" +
         didYouMean(given, names);
}

std::string faultOfText(std::string_view key, const std::string& text) {
  const std::string quoted = "\"" + text + "\"";
  if (const auto allowed = choices(key); !allowed.empty()) return oneOf(allowed, text);
  if (endsWith(key, ".listen") && !isListenAddress(text)) {
    return "must be HOST:PORT, [IPV6]:PORT or unix:/PATH, not " + quoted;
  }
  if ((key == "worker.min_free_disk" || key == "retention.keep_disk") && !parsePercent(text) && !parseSize(text)) {
    return "must be a share of the disk (\"5%\") or a size (\"1GiB\"), not " + quoted;
  }
  return "";
}

// Rows for which nothing at all would be done with a 0.
bool mustBePositive(std::string_view key) {
  return startsWith(key, "http.") || key == "store.pool" || key == "poller.threads" || key == "admin.max_attempts" ||
         key == "vault.timeout" || key == "worker.lease" || key == "worker.heartbeat" ||
         key == "admin.reconcile_interval" || key == "worker.log_limit" || key == "hookhandler.max_body" ||
         key == "worker.build_timeout" || key == "worker.max_build_timeout";
}

constexpr std::int64_t kLongestBuild = 30LL * 24 * 3600 * 1000;

std::string faultOfAmount(std::string_view key, std::optional<std::int64_t> amount, const std::string& text,
                          const std::string& what) {
  if (!amount) return "must be " + what + ", not \"" + text + "\"";
  if (*amount < 0) return "must not be negative, as " + text + " is";
  if (*amount == 0 && mustBePositive(key)) return "must be more than 0";
  if (*amount > (1LL << 50)) return "is too large: " + text;
  if ((key == "worker.build_timeout" || key == "worker.max_build_timeout") && *amount > kLongestBuild)
    return "must be at most 30d, as an ocelot.yml may ask for, not " + text;
  // Below, a moment without room for the log would end a build; above, a worker that is stopped waits for too long.
  if (key == "worker.kill_grace" && (*amount < 1000 || *amount > 600000))
    return "must be between 1s and 10m, not " + text;
  return "";
}

}  // namespace

const ocelot_option* findOption(std::string_view key) {
  for (const Section& section : sections()) {
    for (const ocelot_option* option = section.options; option->key; ++option) {
      if (key == option->key) return option;
    }
  }
  return nullptr;
}

bool isSection(std::string_view key) {
  if (key == "plugins.vcs" || key == "plugins.notifiers") return true;
  for (const Section& section : sections()) {
    if (!key.empty() && key == section.name) return true;
  }
  return false;
}

std::vector<std::string> allKeys() {
  std::vector<std::string> keys;
  for (const Section& section : sections()) {
    for (const ocelot_option* option = section.options; option->key; ++option) keys.emplace_back(option->key);
  }
  return keys;
}

InstanceKey instanceKey(std::string_view key) {
  for (const std::string_view kind : {"runtimes", "vcs", "notifiers"}) {
    const std::string prefix = "plugins." + std::string(kind) + ".";
    if (!startsWith(key, prefix)) continue;
    const std::string_view rest = key.substr(prefix.size());
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == rest.size()) return {};
    return {std::string(kind), std::string(rest.substr(0, dot)), std::string(rest.substr(dot + 1))};
  }
  return {};
}

std::string faultOf(const ocelot_option& option, const Value& value) {
  const std::string& text = value.text();
  const std::string quoted = "\"" + text + "\"";
  if (value.is_list != (option.type == OCELOT_LIST)) {
    return option.type == OCELOT_LIST ? "must be a list: [one, two]" : "must be one value, not a list";
  }
  if (value.is_secret) {
    if (!(option.flags & OCELOT_SECRET)) return "cannot be a !secret: write the value itself";
    return text.empty() ? "!secret needs the secret's name after it" : "";
  }
  if (!value.is_list && text.empty()) return "";
  for (const std::string& item : value.items) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(item.begin(), item.end(), control)) return "holds a control character";
  }
  switch (option.type) {
    case OCELOT_TEXT:
      return faultOfText(option.key, text);
    case OCELOT_NUMBER:
      return faultOfAmount(option.key, parseNumber(text), text, "a whole number");
    case OCELOT_FLAG:
      return parseFlag(text) ? "" : "must be true or false, not " + quoted;
    case OCELOT_DURATION:
      return faultOfAmount(option.key, parseDuration(text), text, "a duration (\"10s\", \"5m\", \"1h30m\")");
    case OCELOT_SIZE:
      return faultOfAmount(option.key, parseSize(text), text, "a size (\"64MiB\", \"1GiB\", \"4096\")");
    case OCELOT_URL:
      return (startsWith(text, "http://") && text.size() > 7) || (startsWith(text, "https://") && text.size() > 8)
                 ? ""
                 : "must be a URL that begins with http:// or https://, not " + quoted;
    case OCELOT_PATH:
      return startsWith(text, "/") ? "" : "must be an absolute path, not " + quoted;
    default:
      return "";
  }
}

std::vector<std::string> splitList(std::string_view text) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    std::string_view item = text.substr(begin, end - begin);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
    begin = end + 1;
  }
  return items;
}

}  // namespace ocelot::config
