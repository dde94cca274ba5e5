#include "reference.hpp"

#include <algorithm>

#include "digest.hpp"
#include "ocelot/call.hpp"

namespace ocelot::oci {
namespace {

bool lowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool alphanumeric(char c) { return lowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 120)) {
    const bool plain = c >= 0x20 && c < 0x7f && c != '"';
    out += plain ? c : '?';
  }
  return out + (text.size() > 120 ? "…\"" : "\"");
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(Status::invalid, "image " + quoted(text) + ": " + why +
                                   "; write NAME[:TAG][@sha256:DIGEST], for example debian:12 or "
                                   "registry.example:5000/team/image:1.0");
}

// Names parted by '.', '-', any number of '-', '_' or "__".
bool validComponent(std::string_view part) {
  if (part.empty() || !lowerOrDigit(part.front()) || !lowerOrDigit(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (lowerOrDigit(part[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (!lowerOrDigit(part[end])) ++end;
    const std::string_view separator = part.substr(i, end - i);
    const bool dashes = std::all_of(separator.begin(), separator.end(), [](char c) { return c == '-'; });
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
  }
  return true;
}

bool validDomain(std::string_view domain) {
  std::string_view host = domain;
  const auto colon = domain.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = domain.substr(colon + 1);
    host = domain.substr(0, colon);
    if (port.empty() || port.size() > 5 ||
        !std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return false;
    if (std::stoi(std::string(port)) > 65535 || std::stoi(std::string(port)) == 0) return false;
  }
  if (host.empty() || host.size() > 253) return false;
  while (!host.empty()) {
    const auto dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    if (label.empty() || label.size() > 63 || !alphanumeric(label.front()) || !alphanumeric(label.back())) return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return alphanumeric(c) || c == '-'; })) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
  return false;  // ended in a dot
}

bool validTag(std::string_view tag) {
  const auto first = [](char c) { return alphanumeric(c) || c == '_'; };
  return !tag.empty() && tag.size() <= 128 && first(tag.front()) &&
         std::all_of(tag.begin(), tag.end(), [&](char c) { return first(c) || c == '.' || c == '-'; });
}

}  // namespace

std::string Reference::full() const {
  std::string text = name();
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest;
  return text;
}

bool Reference::imported() const { return domain == "ocelot.local"; }

bool Reference::loopback() const {
  const std::string host = domain.substr(0, domain.find(':'));
  return host == "localhost" ||
         (host.rfind("127.", 0) == 0 && std::count(host.begin(), host.end(), '.') == 3 &&
          std::all_of(host.begin(), host.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); }));
}

Reference parseReference(std::string_view text) {
  if (text.empty()) refuse(text, "the name is empty");
  if (text.size() > 512) refuse(text, "the name is longer than 512 characters");
  Reference reference;
  std::string_view rest = text;
  const auto at = rest.find('@');
  if (at != std::string_view::npos) {
    reference.digest = rest.substr(at + 1);
    if (!isDigest(reference.digest)) refuse(text, "after '@' stands sha256: and 64 lower-case hexadecimal digits");
    rest = rest.substr(0, at);
  }
  const auto slash = rest.rfind('/');
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    reference.tag = rest.substr(colon + 1);
    if (!validTag(reference.tag)) refuse(text, "the tag after ':' is letters, digits, '_', '.' and '-', at most 128");
    rest = rest.substr(0, colon);
  }
  const auto first = rest.find('/');
  const std::string_view head = rest.substr(0, first);
  const bool has_domain =
      first != std::string_view::npos &&
      (head.find('.') != std::string_view::npos || head.find(':') != std::string_view::npos || head == "localhost" ||
       std::any_of(head.begin(), head.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  if (has_domain) {
    if (!validDomain(head)) refuse(text, "the registry " + quoted(head) + " is not a host name with an optional port");
    reference.domain = head;
    std::transform(reference.domain.begin(), reference.domain.end(), reference.domain.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (reference.domain == "index.docker.io") reference.domain = "docker.io";
    rest.remove_prefix(first + 1);
  } else {
    reference.domain = "docker.io";
  }
  reference.path = rest;
  for (std::string_view left = rest;;) {
    const auto end = left.find('/');
    if (!validComponent(left.substr(0, end)))
      refuse(text, "the name is lower-case letters and digits, parted by '.', '_', '-' or '/'");
    if (end == std::string_view::npos) break;
    left.remove_prefix(end + 1);
  }
  if (reference.domain == "docker.io" && reference.path.find('/') == std::string::npos)
    reference.path = "library/" + reference.path;
  if (reference.name().size() > 255) refuse(text, "registry and name are longer than 255 characters");
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

bool sameRegistry(std::string_view listed, std::string_view domain) {
  return listed == domain ||
         (listed.find(':') == std::string_view::npos && listed == domain.substr(0, domain.find(':')));
}

}  // namespace ocelot::oci
