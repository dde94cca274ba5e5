#pragma once
// What is read from a mirror without a working tree.

#include <string>
#include <string_view>
#include <vector>

#include "host/git/mirror.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::git {

struct RemoteRef {
  std::string name;  // "refs/heads/main"; an annotated tag's commit comes as "refs/tags/v1^{}"
  std::string id;
};

inline constexpr std::size_t kMaxRefs = 10000;

// `git ls-remote`, of everything or of what matches the patterns.
std::vector<RemoteRef> listRemote(Call& call, const Session& session, const std::vector<std::string>& patterns);

struct TreeEntry {
  std::string mode;  // "100644", "120000", …
  std::string id;
  std::uint64_t size = 0;  // of a file
  std::string path;
};

// Takes the records of `git ls-tree -z -l` apart.
std::vector<TreeEntry> parseTree(std::string_view output);

std::string readBlob(Call& call, const Session& session, const Mirror& mirror, std::string_view commit,
                     std::string_view path, std::uint64_t max_bytes);

// Fills author, message, messages, files and files_complete.
void readChanges(Call& call, const Session& session, const Mirror& mirror, std::string_view commit,
                 std::string_view before, Change& change);

}  // namespace ocelot::git
