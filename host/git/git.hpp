#pragma once
// Git as the worker uses it: a bare mirror per repository, fetched only when a commit is not there, and checkouts made
// from it. Everything that comes from outside (URL, branch, revision, path, what a repository holds) is taken for
// hostile:
//
//   words       checked here before git sees them, and given to git behind `--` or `--end-of-options`
//   transports  https and ssh; http and local paths only where the operator allows them; nothing else, also not by
//   redirect programs    no hooks, filters, LFS, askpass of others, pager, fsmonitor, system or user configuration
//   writing     a git process can write nothing but its mirror and its checkout (Landlock, where the kernel has it)
//   secrets     by environment or a 0600 file in memory; never on a command line, in .git/config or in a message
//
// A checkout shares no inode with the mirror: a build as root could otherwise rewrite what the next one gets.
//
// [any] thread; several processes may use one folder of mirrors. Throws Error: invalid (a word is refused), not_found,
// unauthenticated, unavailable (a retry may help), cancelled.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/call.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::git {

struct Settings {
  std::string folder;                      // of the mirrors; made when missing
  std::vector<std::string> local_folders;  // local repositories may lie at or below these
  bool allow_http = false;
  std::chrono::milliseconds fetch_timeout = std::chrono::minutes(30);
  std::string program = "git";
};

struct CloneOptions {
  std::string branch;       // what HEAD is on; "" : detached
  int depth = 50;           // commits of history; 0: all that the mirror has
  bool tags = false;        // the tags of those commits, for `git describe`
  bool submodules = false;  // each from its own mirror, with the repo's credentials only on the same host
};

struct Facts {
  std::string version;  // "2.39.5"
  bool fenced = false;  // git processes are kept to their folders by Landlock
  std::string why_not;  // a sentence, when git is missing or too old to be used
};

// A sentence at a time: "fetching https://…", "receiving objects: 45% (450/1000), 3.10 MiB".
using Progress = std::function<void(std::string_view)>;

class Git {
 public:
  explicit Git(Settings settings);
  ~Git();
  Git(const Git&) = delete;
  Git& operator=(const Git&) = delete;

  Facts probe(Call& call);

  // Every branch and its head, as the remote has them now. More than 10,000 is Error(invalid).
  std::vector<Head> heads(Call& call, const CloneAccess& access);
  // A branch, tag or (abbreviated) commit id to a full commit id.
  std::string resolve(Call& call, const CloneAccess& access, std::string_view revision);
  // One file at a commit, by its object. invalid: larger than max_bytes, or no regular file.
  std::string readFile(Call& call, const CloneAccess& access, std::string_view commit, std::string_view path,
                       std::uint64_t max_bytes);
  // What changed up to `commit` since `before` ("" : the commit alone). Fills all but kind, repo and branch.
  Change changes(Call& call, const CloneAccess& access, std::string_view commit, std::string_view before);

  // Makes sure that the mirror has the commit.
  void fetch(Call& call, const CloneAccess& access, std::string_view commit, const Progress& progress = {});
  // A working tree of the commit in `folder`, which must be empty or missing, with a .git of its own whose origin is
  // the repo's URL. After a failure nothing of it is left.
  void checkout(Call& call, const CloneAccess& access, std::string_view commit, const std::string& folder,
                const CloneOptions& options = {}, const Progress& progress = {});

  // Removes the mirrors that nobody used for so long. Waits for nobody: one that is in use stays.
  void maintain(Call& call, std::chrono::hours unused);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ocelot::git
