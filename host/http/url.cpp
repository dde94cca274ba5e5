#include "host/http/url.hpp"

#include <algorithm>

#include "host/http/head.hpp"
#include "ocelot/call.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::http {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw Error(Status::invalid, "URL \"" + headerSafe(text.substr(0, text.find('?'))) + "\": " + why);
}

bool isVisible(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::string Url::authority() const {
  if (!socket_path.empty()) return "localhost";
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string Url::shown() const {
  const std::string path = target.substr(0, target.find('?'));
  if (!socket_path.empty()) return "unix:" + socket_path + " " + path;
  return (tls ? "https://" : "http://") + authority() + path;
}

bool Url::sameOrigin(const Url& other) const {
  return tls == other.tls && host == other.host && port == other.port && socket_path == other.socket_path;
}

Url parseUrl(const std::string& text) {
  Url url;
  if (!isVisible(text)) refuse(text, "holds a blank or a character that must be percent-encoded");
  if (text.compare(0, 6, "unix:/") == 0) {
    url.socket_path = text.substr(5);
    return url;
  }
  std::string rest;
  if (text.compare(0, 7, "http://") == 0) {
    rest = text.substr(7);
  } else if (text.compare(0, 8, "https://") == 0) {
    rest = text.substr(8);
    url.tls = true;
  } else {
    refuse(text, "must begin with http://, https:// or unix:/");
  }
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string authority = rest.substr(0, end);
  std::string target = rest.substr(end);
  target.resize(std::min(target.find('#'), target.size()));
  url.target = target.empty() || target.front() != '/' ? "/" + target : target;
  if (authority.find('@') != std::string::npos) refuse("…", "a password has no place in a URL");
  url.port = url.tls ? 443 : 80;
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    const auto port = parseNumber(std::string_view(authority).substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) refuse(text, "the port must be 1 to 65535");
    url.port = static_cast<std::uint16_t>(*port);
    authority.resize(colon);
  }
  if (authority.size() > 2 && authority.front() == '[' && authority.back() == ']') {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty()) refuse(text, "has no host");
  url.host = lowerCase(authority);
  return url;
}

Url resolve(const Url& base, const std::string& reference) {
  if (reference.empty() || reference.front() != '/' || reference.compare(0, 2, "//") == 0) return parseUrl(reference);
  if (!isVisible(reference)) refuse(reference, "holds a blank or a character that must be percent-encoded");
  Url url = base;
  std::string path = base.target.substr(0, base.target.find('?'));
  while (!path.empty() && path.back() == '/') path.pop_back();
  url.target = path + reference.substr(0, reference.find('#'));
  return url;
}

}  // namespace ocelot::http
