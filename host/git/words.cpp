#include "host/git/words.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "ocelot/call.hpp"

namespace ocelot::git {

namespace {

constexpr std::size_t kMaxUrlBytes = 2048;
constexpr std::size_t kMaxBranchBytes = 255;
constexpr std::size_t kMaxPathBytes = 4096;

[[noreturn]] void refuse(const char* what, std::string_view text, const std::string& why) {
  throw Error(Status::invalid, std::string(what) + " \"" + shown(text) + "\": " + why);
}

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isAlnum(char c) { return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool allOf(std::string_view text, bool (*test)(char)) { return std::all_of(text.begin(), text.end(), test); }
bool startsWith(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }
bool endsWith(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// A URL for a message: what stands before an '@' may be a password.
std::string withoutUser(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = url.substr(begin).rfind('@');
  return at == std::string_view::npos ? std::string(url)
                                      : std::string(url.substr(0, begin)) + "***" + std::string(url.substr(begin + at));
}

[[noreturn]] void refuseUrl(std::string_view url, const std::string& why) {
  refuse("repository URL", withoutUser(url), why);
}

// "host", "host:22", "[::1]:22" → host in lower case.
std::string checkHost(std::string_view url, std::string_view authority) {
  std::string_view host = authority, port;
  if (startsWith(authority, "[")) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) refuseUrl(url, "the host's '[' has no ']'");
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      refuseUrl(url, "that is no IPv6 address");
  } else {
    const std::size_t colon = authority.find(':');
    if (colon != std::string_view::npos) {
      host = authority.substr(0, colon);
      port = authority.substr(colon);
    }
    if (!allOf(host, [](char c) { return isAlnum(c) || c == '.' || c == '-' || c == '_'; })) {
      refuseUrl(url, "the host may have letters, digits, '.', '-' and '_' only");
    }
  }
  if (host.empty() || host.front() == '-') refuseUrl(url, "the host is missing or begins with '-'");
  if (!port.empty() && (port.size() < 2 || port.size() > 6 || port[0] != ':' || !allOf(port.substr(1), isDigit))) {
    refuseUrl(url, "the port is no number");
  }
  return lower(host);
}

void checkUser(std::string_view url, std::string_view user) {
  if (user.empty() || user.front() == '-' ||
      !allOf(user, [](char c) { return isAlnum(c) || c == '.' || c == '-' || c == '_'; })) {
    refuseUrl(url, "the user may have letters, digits, '.', '-' and '_' only; a password does not belong into a URL");
  }
}

void checkUrlPath(std::string_view url, std::string_view path) {
  while (startsWith(path, "/")) path.remove_prefix(1);
  if (path.empty()) refuseUrl(url, "it names no repository");
  if (path.front() == '-') refuseUrl(url, "its path begins with '-'");
  if (path.find_first_of("?#\\\"'`$<>|;&*(){}!^") != std::string_view::npos) {
    refuseUrl(url, "its path has a character that no repository needs");
  }
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const std::string_view code = path.substr(at + 1, 2);
    const bool control = !code.empty() && (code[0] == '0' || code[0] == '1');
    if (control || lower(code) == "7f") refuseUrl(url, "it holds an encoded control character");
  }
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    if (part == "..") refuseUrl(url, "its path holds \"..\"");
    path.remove_prefix(std::min(part.size() + 1, path.size()));
  }
}

Url localUrl(std::string_view text, const UrlRules& rules) {
  namespace fs = std::filesystem;
  if (rules.local_folders.empty())
    refuseUrl(text, "local paths are not allowed here (local_repos lists the folders that are)");
  if (("/" + std::string(text) + "/").find("/../") != std::string::npos) refuseUrl(text, "its path holds \"..\"");
  std::error_code error;
  const fs::path path = fs::canonical(text, error);
  if (error) throw Error(Status::not_found, "repository \"" + shown(text) + "\": " + error.message());
  for (const std::string& folder : rules.local_folders) {
    const fs::path allowed = fs::canonical(folder, error);
    if (error) continue;  // a folder that is not there allows nothing
    const auto [end, ignored] = std::mismatch(allowed.begin(), allowed.end(), path.begin(), path.end());
    if (end == allowed.end()) return {Url::Kind::local, path.string(), "file", ""};
  }
  refuseUrl(text, "it is outside of the folders in which local repositories are allowed");
}

Url remoteUrl(std::string_view text, const std::string& scheme, const UrlRules& rules) {
  const std::string_view rest = text.substr(scheme.size() + 3);
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  Url url;
  url.text = text;
  url.protocol = scheme;
  const std::size_t at = authority.rfind('@');
  if (scheme == "ssh") {
    url.kind = Url::Kind::ssh;
    if (at != std::string_view::npos) {
      checkUser(text, authority.substr(0, at));
      authority.remove_prefix(at + 1);
    }
  } else {
    if (scheme == "http" && !rules.allow_http)
      refuseUrl(text, "http is not allowed (it can be read and changed on its way); use https");
    url.kind = scheme == "http" ? Url::Kind::http : Url::Kind::https;
    if (at != std::string_view::npos)
      refuseUrl(text, "credentials do not belong into a URL: give them as username and password");
  }
  url.host = checkHost(text, authority);
  checkUrlPath(text, path);
  return url;
}

// user@host:path
Url scpUrl(std::string_view text) {
  const std::size_t colon = text.find(':');
  std::string_view host = text.substr(0, colon);
  Url url{Url::Kind::ssh, std::string(text), "ssh", ""};
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) {
    checkUser(text, host.substr(0, at));
    host.remove_prefix(at + 1);
  }
  url.host = checkHost(text, host);
  checkUrlPath(text, text.substr(colon + 1));
  return url;
}

}  // namespace

std::string shown(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text.substr(0, most)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > most ? out + "…" : out;
}

Url checkUrl(std::string_view given, const UrlRules& rules) {
  std::string_view text = given;
  while (text.size() > 1 && text.back() == '/') text.remove_suffix(1);
  if (text.empty()) refuseUrl(text, "it is empty");
  if (text.size() > kMaxUrlBytes) refuseUrl(text, "it is longer than " + std::to_string(kMaxUrlBytes) + " bytes");
  if (!allOf(text, [](char c) { return c > ' ' && c <= '~'; })) {
    // A local path may have more in its name, but never a control character.
    const bool local =
        text.front() == '/' && allOf(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
    if (!local) refuseUrl(text, "it holds white space, a control character or what is not ASCII");
  }
  if (text.front() == '-') refuseUrl(text, "it begins with '-'");
  if (text.front() == '/') return localUrl(text, rules);
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    const std::string name(text.substr(0, scheme));
    if (name == "https" || name == "http" || name == "ssh") return remoteUrl(text, name, rules);
    refuseUrl(text, "the transport \"" + shown(name) + "\" is not allowed; use https:// or ssh://");
  }
  if (text.find("::") != std::string_view::npos && text.front() != '[')
    refuseUrl(text, "remote helpers (\"name::…\") are not allowed");
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find('/') > colon) return scpUrl(text);
  refuseUrl(text, "it is none of https://host/path, ssh://user@host/path, user@host:path");
}

Url checkSubmoduleUrl(std::string_view text, const Url& parent, const UrlRules& rules) {
  if (!startsWith(text, "./") && !startsWith(text, "../")) return checkUrl(text, rules);
  std::string base = parent.text;
  // Each "../" takes a part off the parent's path, never its host.
  const std::size_t scheme = base.find("://");
  const std::size_t path =
      scheme == std::string::npos ? (base.front() == '/' ? 0 : base.find(':')) : base.find('/', scheme + 3);
  while (startsWith(text, "./") || startsWith(text, "../")) {
    if (startsWith(text, "../")) {
      const std::size_t slash = base.find_last_of("/:");
      if (slash == std::string::npos || slash < path || slash == 0)
        refuseUrl(text, "it leads out of its parent's host");
      base.resize(slash == path && base[slash] == ':' ? slash + 1 : slash);
      text.remove_prefix(3);
    } else {
      text.remove_prefix(2);
    }
  }
  return checkUrl(base + (endsWith(base, ":") ? "" : "/") + std::string(text), rules);
}

bool isCommit(std::string_view id) {
  return (id.size() == 40 || id.size() == 64) && allOf(id, [](char c) { return isDigit(c) || (c >= 'a' && c <= 'f'); });
}

void checkCommit(std::string_view id) {
  if (!isCommit(id)) refuse("commit", id, "a full commit id has 40 or 64 hexadecimal digits, in lower case");
}

void checkBranch(std::string_view name) {
  const auto bad = [&](const char* why) { refuse("branch or tag", name, why); };
  if (name.empty()) bad("it is empty");
  if (name.size() > kMaxBranchBytes) bad("it is longer than 255 bytes");
  if (name.front() == '-') bad("it begins with '-'");
  if (name == "@" || name == "HEAD") bad("that is no name of a branch");
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) bad("it holds white space or a control character");
  }
  if (name.find_first_of("~^:?*[\\") != std::string_view::npos) bad("it holds one of ~ ^ : ? * [ \\");
  if (name.find("..") != std::string_view::npos || name.find("@{") != std::string_view::npos)
    bad("it holds \"..\" or \"@{\"");
  if (name.front() == '/' || name.back() == '/' || name.back() == '.' || name.find("//") != std::string_view::npos) {
    bad("it begins or ends with '/', ends with '.', or holds \"//\"");
  }
  for (std::string_view rest = name; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part.front() == '.' || endsWith(part, ".lock")) bad("a part of it begins with '.' or ends with \".lock\"");
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
}

void checkPath(std::string_view path) {
  const auto bad = [&](const char* why) { refuse("path", path, why); };
  if (path.empty() || path.size() > kMaxPathBytes) bad("it is empty or longer than 4096 bytes");
  if (path.front() == '/') bad("it must be relative to the repository's root");
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) bad("it holds a control character");
  }
  for (std::size_t at = 0; at <= path.size();) {
    const std::string_view part = path.substr(at, path.find('/', at) - at);
    if (part.empty() || part == "." || part == "..") bad("it holds an empty part, \".\" or \"..\"");
    at += part.size() + 1;
  }
}

}  // namespace ocelot::git
