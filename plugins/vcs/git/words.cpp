#include "words.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "ocelot/call.hpp"

namespace ocelot::vcs_git {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const char* what, std::string_view text, const std::string& why) {
  throw Error(Status::invalid, std::string(what) + " \"" + shown(text) + "\": " + why);
}

// What stands before an '@' may be a password.
std::string withoutUser(std::string_view url) {
  const std::size_t at = url.rfind('@');
  return at == std::string_view::npos ? std::string(url) : "***" + std::string(url.substr(at));
}

// The parts of `text` between slashes; false as soon as one is not as it should be.
bool eachPart(std::string_view text, bool (*fit)(std::string_view)) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::string_view part = text.substr(at, text.find('/', at) - at);
    if (!fit(part)) return false;
    at += part.size() + 1;
  }
  return true;
}

bool isControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

bool isAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A user or a host's name.
bool isName(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) { return isAlnum(c) || c == '.' || c == '-' || c == '_'; });
}

// [user@]host[:port]
bool isAuthority(std::string_view text, bool user_allowed, bool port_allowed) {
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (!user_allowed || !isName(text.substr(0, at))) return false;
    text.remove_prefix(at + 1);
  }
  const std::size_t bracket = text.substr(0, 1) == "[" ? text.find(']') : 0;
  const std::size_t colon = bracket == std::string_view::npos ? bracket : text.find(':', bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    const bool number = port.find_first_not_of("0123456789") == std::string_view::npos;
    if (!port_allowed || port.empty() || port.size() > 5 || !number) return false;
    text = text.substr(0, colon);
  }
  if (text.substr(0, 1) != "[") return isName(text);
  const std::string_view address = text.substr(1, text.size() - std::min<std::size_t>(2, text.size()));
  return text.back() == ']' && !address.empty() &&
         address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

// The path of a URL: at least one part, none of them "..", nothing that would look like an option to the other side.
bool isPath(std::string_view text) {
  while (text.substr(0, 1) == "/") text.remove_prefix(1);
  if (text.empty() || text.front() == '-') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!isAlnum(c) && std::string_view("/._~+,=@:%-").find(c) == std::string_view::npos) return false;
    if (c != '%') continue;
    const std::string_view code = text.substr(i + 1, 2);
    const bool hex = code.size() == 2 && code.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (!hex || code[0] == '0' || code[0] == '1' || code == "7f" || code == "7F") return false;  // a control character
  }
  return eachPart(text, [](std::string_view part) { return part != ".." && part.substr(0, 1) != "-"; });
}

Url localUrl(std::string_view text, const std::vector<std::string>& folders) {
  std::error_code error;
  if (std::any_of(text.begin(), text.end(), isControl))
    refuse("repository", text, "its path holds a control character");
  if (!eachPart(text.substr(1), [](std::string_view part) { return part != ".."; }))
    refuse("repository", text, "its path holds \"..\"");
  if (folders.empty())
    refuse("repository", text,
           "local paths are not allowed; worker.local_repos in server.yaml lists the folders that are");
  const fs::path path = fs::canonical(text, error);
  if (error) throw Error(Status::not_found, "repository \"" + shown(text) + "\": " + error.message());
  for (const std::string& folder : folders) {
    const fs::path allowed = fs::canonical(folder, error);
    if (!error && std::mismatch(allowed.begin(), allowed.end(), path.begin(), path.end()).first == allowed.end())
      return {path.string(), "file"};
  }
  refuse("repository", text, "it is outside of the folders in worker.local_repos of server.yaml");
}

}  // namespace

std::string shown(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text.substr(0, most)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > most ? out + "…" : out;
}

// What is allowed is listed: anything else, and with it every way of hiding an option, a command or another transport
// in a URL, is refused.
Url checkUrl(std::string_view given, bool allow_http, const std::vector<std::string>& local_folders) {
  std::string_view text = given;
  while (text.size() > 1 && text.back() == '/') text.remove_suffix(1);
  if (text.empty() || text.size() > 2000) {
    refuse("repository URL", withoutUser(text), "it is empty or longer than 2000 bytes");
  }
  if (text.front() == '/') return localUrl(text, local_folders);
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    const std::string_view protocol = text.substr(0, scheme);
    const std::string_view rest = text.substr(scheme + 3);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const bool web = protocol == "https" || protocol == "http";
    if ((web || protocol == "ssh") && isAuthority(rest.substr(0, slash), !web, true) && isPath(rest.substr(slash))) {
      if (protocol != "http" || allow_http) return {std::string(text), std::string(protocol)};
      refuse("repository URL", text,
             "http can be read and changed on its way; use https, or set the option allow_http");
    }
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    // "name::…" would name a remote helper of git's.
    const std::string_view path = text.substr(colon + 1);
    if (isAuthority(text.substr(0, colon), true, false) && path.substr(0, 1) != ":" && isPath(path)) {
      return {std::string(text), "ssh"};
    }
  }
  refuse("repository URL", withoutUser(text),
         "it is none of https://host/path, ssh://user@host/path, user@host:path, or holds what no URL of a repository "
         "needs (credentials are options)");
}

std::string repoName(const Url& url) {
  std::string path = url.text;
  if (url.protocol != "file") {
    const std::size_t scheme = path.find("://");
    const std::size_t begin = scheme == std::string::npos ? path.find(':') : path.find('/', scheme + 3);
    path.erase(0, begin + 1);
  }
  while (!path.empty() && path.back() == '/') path.pop_back();
  if (path.size() > 5 && path.compare(path.size() - 5, 5, "/.git") == 0) path.resize(path.size() - 5);
  if (path.size() > 4 && path.compare(path.size() - 4, 4, ".git") == 0) path.resize(path.size() - 4);
  std::size_t begin = path.rfind('/');
  if (begin != std::string::npos && begin > 0) begin = path.rfind('/', begin - 1);
  return begin == std::string::npos ? path : path.substr(begin + 1);
}

bool isCommit(std::string_view id) {
  return (id.size() == 40 || id.size() == 64) && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void checkCommit(std::string_view id) {
  if (!isCommit(id)) refuse("commit", id, "a full commit id has 40 or 64 hexadecimal digits, in lower case");
}

void checkBranch(std::string_view name) {
  const auto holds = [&](const char* what) { return name.find(what) != std::string_view::npos; };
  if (name.empty() || name.size() > 255) refuse("branch or tag", name, "it is empty or longer than 255 bytes");
  if (name.front() == '-' || name == "@" || name == "HEAD")
    refuse("branch or tag", name, "it begins with '-', or is a name of git's own");
  for (const char c : name) {
    if (c == ' ' || isControl(c)) refuse("branch or tag", name, "it holds white space or a control character");
  }
  if (name.find_first_of("~^:?*[\\") != std::string_view::npos || holds("..") || holds("@{") || name.back() == '.') {
    refuse("branch or tag", name, "it holds one of ~ ^ : ? * [ \\ .. @{ or ends with '.'");
  }
  const bool fit = eachPart(name, [](std::string_view part) {
    return !part.empty() && part.front() != '.' && !(part.size() >= 5 && part.substr(part.size() - 5) == ".lock");
  });
  if (!fit) refuse("branch or tag", name, "a part of it is empty, begins with '.' or ends with \".lock\"");
}

void checkPath(std::string_view path) {
  if (path.empty() || path.size() > 4096) refuse("path", path, "it is empty or longer than 4096 bytes");
  if (std::any_of(path.begin(), path.end(), isControl)) refuse("path", path, "it holds a control character");
  if (!eachPart(path, [](std::string_view part) { return !part.empty() && part != "." && part != ".."; })) {
    refuse("path", path, "it must be relative to the repository's root, without \".\", \"..\" and empty parts");
  }
}

}  // namespace ocelot::vcs_git
