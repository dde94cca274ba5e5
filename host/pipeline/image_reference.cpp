#include "host/pipeline/image_reference.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>

#include "host/pipeline/values.hpp"

namespace ocelot::pipeline {

namespace {

bool isLower(char c) { return c >= 'a' && c <= 'z'; }
bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool isWord(char c) { return isLower(c) || isUpper(c) || isDigit(c) || c == '_'; }

template <class Test>
bool all(std::string_view text, Test test) {
  return !text.empty() && std::all_of(text.begin(), text.end(), test);
}

// [a-z0-9]+ joined by ".", "_", "__" or any number of "-".
bool isPathComponent(std::string_view text) {
  const auto plain = [](char c) { return isLower(c) || isDigit(c); };
  if (text.empty() || !plain(text.front()) || !plain(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (plain(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && text[end] == text[i]) ++end;
    const std::size_t run = end - i;
    const bool separator = text[i] == '-' || (text[i] == '.' && run == 1) || (text[i] == '_' && run <= 2);
    if (!separator || !plain(text[end])) return false;
    i = end;
  }
  return true;
}

bool isHostLabel(std::string_view text) {
  return text.size() <= 63 && all(text, [](char c) { return isWord(c) || c == '-'; }) &&
         text.find('_') == std::string_view::npos && text.front() != '-' && text.back() != '-';
}

bool isLinkLocal(const in_addr& address) { return (ntohl(address.s_addr) >> 16) == 0xA9FE; }

bool isLinkLocal(const in6_addr& address) {
  if (IN6_IS_ADDR_LINKLOCAL(&address)) return true;
  if (!IN6_IS_ADDR_V4MAPPED(&address)) return false;
  in_addr mapped{};
  std::copy(address.s6_addr + 12, address.s6_addr + 16, reinterpret_cast<unsigned char*>(&mapped.s_addr));
  return isLinkLocal(mapped);
}

// A last label of digits makes resolvers read the whole as an IPv4 address, in forms that hide which one.
bool looksNumeric(std::string_view label) {
  if (all(label, isDigit)) return true;
  return label.size() >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X') &&
         (label.size() == 2 || all(label.substr(2), isHex));
}

// Link-local addresses are where clouds serve a machine's own credentials.
constexpr const char* kLinkLocal = "its registry is a link-local address";

std::string hostFault(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    in6_addr address{};
    if (host.back() != ']' ||
        inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) != 1) {
      return "its registry `" + std::string(host) + "` is not an IPv6 address";
    }
    return isLinkLocal(address) ? kLinkLocal : "";
  }
  std::string_view last;
  for (std::string_view rest = host;;) {
    const auto dot = rest.find('.');
    last = rest.substr(0, dot);
    if (!isHostLabel(last)) return "its registry `" + std::string(host) + "` is not a host name";
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (!looksNumeric(last)) return "";
  in_addr address{};
  if (inet_pton(AF_INET, std::string(host).c_str(), &address) != 1)
    return "its registry `" + std::string(host) + "` is not an IPv4 address";
  return isLinkLocal(address) ? kLinkLocal : "";
}

std::string registryFault(std::string_view registry) {
  const auto bracket = registry.rfind(']');
  const auto colon = registry.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket))
    return hostFault(registry);
  const std::string_view port = registry.substr(colon + 1);
  if (!all(port, isDigit) || port.size() > 5 || std::stoi(std::string(port)) > 65535 || port.front() == '0') {
    return "its registry has the port `" + std::string(port) + "`";
  }
  return hostFault(registry.substr(0, colon));
}

std::string digestFault(std::string_view digest) {
  constexpr std::string_view kSha256 = "sha256:", kSha512 = "sha512:";
  const bool long_form = digest.substr(0, kSha512.size()) == kSha512;
  if (!long_form && digest.substr(0, kSha256.size()) != kSha256)
    return "its digest begins with neither sha256: nor sha512:";
  const std::string_view hex = digest.substr(kSha256.size());
  const std::size_t want = long_form ? 128 : 64;
  if (hex.size() != want || !all(hex, [](char c) { return isHex(c) && !isUpper(c); })) {
    return "its digest needs " + std::to_string(want) + " lower-case hex digits";
  }
  return "";
}

// The part before the first slash, where that is a registry; "" where it belongs to the path.
std::string_view registryIn(std::string_view name) {
  const auto first = name.substr(0, name.find('/'));
  const bool registry =
      first.size() < name.size() && (first.find_first_of(".:[") != std::string_view::npos || first == "localhost");
  return registry ? first : std::string_view();
}

}  // namespace

std::string registryOf(std::string_view reference) {
  std::string registry(registryIn(reference));
  for (char& c : registry)
    if (isUpper(c)) c = static_cast<char>(c - 'A' + 'a');
  return registry.empty() || registry == "index.docker.io" ? "docker.io" : registry;
}

std::string imageReferenceFault(std::string_view reference) {
  if (reference.empty()) return "it is empty";
  if (reference.size() > 512)
    return "it has " + std::to_string(reference.size()) + " characters, at most 512 are allowed";
  for (const char c : reference) {
    if (!isWord(c) && std::string_view(".-/:@[]").find(c) == std::string_view::npos) {
      return c == ' ' ? "it contains a space" : "it contains " + quoted(std::string(1, c));
    }
  }
  if (reference.front() == '-') return "it begins with `-`";
  if (reference.find("://") != std::string_view::npos) return "it is a URL; write it without the scheme";

  const auto at = reference.find('@');
  if (at != std::string_view::npos) {
    const std::string fault = digestFault(reference.substr(at + 1));
    if (!fault.empty()) return fault;
  }
  std::string_view name = reference.substr(0, at);
  // A colon behind the last slash is the tag's; one before it a port's.
  const auto slash = name.rfind('/');
  const auto colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    const std::string_view tag = name.substr(colon + 1);
    const bool good =
        all(tag, [](char c) { return isWord(c) || c == '.' || c == '-'; }) && tag.size() <= 128 && isWord(tag.front());
    if (!good) return "its tag `" + std::string(tag) + "` is not 1 to 128 letters, digits, `_`, `.` or `-`";
    name = name.substr(0, colon);
  }
  if (name.size() > 255) return "its name has more than 255 characters";
  if (const auto registry = registryIn(name); !registry.empty()) {
    const std::string fault = registryFault(registry);
    if (!fault.empty()) return fault;
    name.remove_prefix(registry.size() + 1);
  }
  for (std::string_view rest = name;;) {
    const auto next = rest.find('/');
    const std::string_view component = rest.substr(0, next);
    if (std::any_of(component.begin(), component.end(), isUpper))
      return "`" + std::string(component) + "` has upper-case letters";
    if (component.empty()) return "a part of its name is empty";
    if (!isPathComponent(component))
      return "`" + std::string(component) +
             "` is not a name of lower-case letters and digits, joined by `.`, `_` or `-`";
    if (next == std::string_view::npos) return "";
    rest.remove_prefix(next + 1);
  }
}

}  // namespace ocelot::pipeline
