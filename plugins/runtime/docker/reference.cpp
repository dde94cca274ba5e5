#include "reference.hpp"

#include <algorithm>

#include "json.hpp"
#include "ocelot/call.hpp"

namespace ocelot::docker {
namespace {

bool lower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool letter(char c) { return lower(c) || (c >= 'A' && c <= 'Z'); }

// [a-z0-9]+ joined by ".", "_", "__" or any number of "-".
bool isComponent(std::string_view text) {
  if (text.empty() || !lower(text.front()) || !lower(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (lower(text[i])) {
      ++i;
      continue;
    }
    const std::size_t end =
        std::min(text.size(),
                 static_cast<std::size_t>(
                     std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), lower) - text.begin()));
    const std::string_view joint = text.substr(i, end - i);
    if (joint != "." && joint != "_" && joint != "__" && joint.find_first_not_of('-') != std::string_view::npos) {
      return false;
    }
    i = end;
  }
  return true;
}

bool isPath(std::string_view text) {
  for (;;) {
    const std::size_t slash = text.find('/');
    if (!isComponent(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool isTag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && (letter(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(), [](char c) { return letter(c) || c == '_' || c == '.' || c == '-'; });
}

bool isDigest(std::string_view text) {
  return text.size() == 71 && text.substr(0, 7) == "sha256:" && std::all_of(text.begin() + 7, text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool isHost(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text;
  if (colon != std::string_view::npos && text.back() != ']') {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos) return false;
    host = text.substr(0, colon);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  return !host.empty() && letter(host.front()) && letter(host.back()) &&
         std::all_of(host.begin(), host.end(), [](char c) { return letter(c) || c == '.' || c == '-'; });
}

}  // namespace

std::string Reference::full() const {
  return name() + (tag.empty() ? "" : ":" + tag) + (digest.empty() ? "" : "@" + digest);
}

Reference parseReference(std::string_view text) {
  const auto refuse = [&](const std::string& why) -> Error {
    return Error(Status::invalid, "image \"" + printable(text, 200) + "\": " + why);
  };
  if (text.empty()) throw refuse("is empty");
  if (text.size() > 512) throw refuse("is longer than 512 bytes");

  Reference out;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    if (!isDigest(rest.substr(at + 1))) throw refuse("a digest is sha256: and 64 hex digits");
    out.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  const std::size_t slash = rest.rfind('/');
  const std::size_t colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    if (!isTag(rest.substr(colon + 1))) throw refuse("a tag is up to 128 letters, digits, \"_\", \".\" and \"-\"");
    out.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  } else if (out.digest.empty()) {
    out.tag = "latest";
  }

  // The first part is a host when it can be none of Docker Hub's names.
  const std::size_t first = rest.find('/');
  const std::string_view head = rest.substr(0, first);
  if (first != std::string_view::npos && (head.find_first_of(".:") != std::string_view::npos || head == "localhost")) {
    if (!isHost(head)) throw refuse("\"" + printable(head, 80) + "\" is not a registry's host[:port]");
    out.registry = head == "index.docker.io" ? "docker.io" : head;
    rest = rest.substr(first + 1);
  } else {
    out.registry = "docker.io";
  }
  out.repository = rest;
  if (out.registry == "docker.io" && rest.find('/') == std::string_view::npos)
    out.repository = "library/" + out.repository;
  if (!isPath(rest)) {
    const bool upper = std::any_of(rest.begin(), rest.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    throw refuse(upper ? "a repository's name is lower case" : "is not of the form [HOST[:PORT]/]NAME[:TAG][@DIGEST]");
  }
  return out;
}

}  // namespace ocelot::docker
