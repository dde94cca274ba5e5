#pragma once
// Is a word from outside fit to be given to git? Each check throws Error(invalid) saying what is wrong with it; none of
// them shows a password.

#include <string>
#include <string_view>
#include <vector>

namespace ocelot::git {

struct Url {
  enum class Kind { https, http, ssh, local };
  Kind kind = Kind::https;
  std::string text;      // as given, without a trailing slash
  std::string protocol;  // for GIT_ALLOW_PROTOCOL: "https", "http", "ssh", "file"
  std::string host;      // lower case; "" for local
};

struct UrlRules {
  bool allow_http = false;
  std::vector<std::string> local_folders;
};

// https://host/path, ssh://[user@]host[:port]/path, user@host:path; where allowed http://… and absolute local paths.
Url checkUrl(std::string_view text, const UrlRules& rules);
// A submodule's URL, which may be relative ("../other.git") to its parent's.
Url checkSubmoduleUrl(std::string_view text, const Url& parent, const UrlRules& rules);

// 40 or 64 hex digits, lower case.
void checkCommit(std::string_view id);
bool isCommit(std::string_view id);
// A branch or tag name, by the rules of git check-ref-format, and without a leading '-'.
void checkBranch(std::string_view name);
// A path inside a repository: relative, without "." and ".." and empty parts.
void checkPath(std::string_view path);

// For messages: control characters and what is not ASCII replaced, at most so many characters.
std::string shown(std::string_view text, std::size_t most = 200);

}  // namespace ocelot::git
