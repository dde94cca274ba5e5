#pragma once
// Is a word from outside fit to be given to git? Each check throws Error(invalid) saying what is wrong with it.

#include <string>
#include <string_view>
#include <vector>

namespace ocelot::vcs_git {

struct Url {
  std::string text;
  std::string protocol;  // https, http, ssh, or file for a local path
};

// https://host/path, ssh://[user@]host[:port]/path, user@host:path; http where allowed; absolute paths at or below one
// of the folders.
Url checkUrl(std::string_view text, bool allow_http, const std::vector<std::string>& local_folders);
// "account/repo" of a checked URL: the last two parts of its path.
std::string repoName(const Url& url);

bool isCommit(std::string_view id);  // 40 or 64 hex digits, lower case
void checkCommit(std::string_view id);
void checkBranch(std::string_view name);  // by the rules of git check-ref-format, and without a leading '-'
void checkPath(std::string_view path);    // relative, without "." and ".." and empty parts

// For messages: printable ASCII, at most so many characters.
std::string shown(std::string_view text, std::size_t most = 200);

}  // namespace ocelot::vcs_git
