#pragma once
// A version-control provider: where repositories live, how their changes are told, and where results are shown.
//
// Who calls: the hookhandler (verifyHook, then parseHook), the poller (heads, changes), admin (resolve, readFile) and
// the worker (clone). Handles are [serial]; distinct handles run in parallel.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot {
inline namespace v1 {

struct Repo {
  std::string name;  // "account/repo", as people write it
  std::string url;   // clone URL
};

// A commit of a repo. `id` is always a full object id of 40 or 64 hex digits.
struct Commit {
  Repo repo;
  std::string id;
};

struct Head {
  std::string branch;  // without refs/heads/
  std::string commit;
};

// What happened, as the pipeline's triggers see it.
struct Change {
  enum class Kind : int { push = 0, pull_request = 1, tag = 2, manual = 3, poll = 4, schedule = 5 };
  Kind kind = Kind::push;
  Repo repo;
  std::string branch;  // a pull request's source branch
  std::string commit;
  std::string before;  // previous head of the branch; "" when there is none
  std::string author;
  std::string message;                // of the head commit, at most 64 KiB
  std::vector<std::string> messages;  // of every commit of the change, at most 1,000
  std::vector<std::string> files;     // changed paths, at most 10,000
  bool files_complete = true;         // false: `files` is cut or unknown, and path triggers must fire
};

// A webhook as it came in. Header names are lower-case.
struct Hook {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // raw bytes
};

// What git needs to fetch from the repo. Handed to the git process by its environment or a helper, never on a command
// line.
struct CloneAccess {
  std::string url;
  std::string username;
  std::string password;
  std::string ssh_key;      // private key, PEM or OpenSSH form
  std::string known_hosts;  // lines of an ssh known_hosts file
};

// not_found means: of identify() and heads(), that there is no such repository; of resolve(), readFile() and changes(),
// that the repository answers and has no such revision, commit or file. Where it does not answer any more, or is not
// where it was, those throw unavailable: it may come back.
class Vcs {
 public:
  virtual ~Vcs() = default;

  // Does the hook come from who it says? Asked before anything is stored. Throws unauthenticated.
  virtual void verifyHook(Call&, const Hook&) { unsupported("webhooks"); }
  // What the hook says happened; may run again. ignored: valid, nothing to build.
  virtual std::vector<Change> parseHook(Call&, const Hook&) { unsupported("webhooks"); }

  // Is this URL or "account/repo" one of this provider's, and what is it called? not_found when it is not.
  virtual Repo identify(Call&, std::string_view url_or_name) = 0;
  // Every branch and its head. Bounded: more than 10,000 is Error(invalid).
  virtual std::vector<Head> heads(Call&, const Repo&) = 0;
  // A branch, tag, or (abbreviated) commit id to a full commit id. not_found.
  virtual std::string resolve(Call&, const Repo&, std::string_view revision) = 0;
  // One file at a commit, never from a working tree. not_found; invalid when larger than max_bytes or not a regular
  // file.
  virtual std::string readFile(Call&, const Commit&, std::string_view path, std::uint64_t max_bytes) = 0;
  // What changed up to `commit` since `before` ("" : the commit alone).
  virtual Change changes(Call&, const Commit&, std::string_view before) = 0;

  virtual CloneAccess clone(Call&, const Repo&) = 0;

 private:
  [[noreturn]] static void unsupported(const char* what) {
    throw Error(Status::unsupported, std::string(what) + " are not supported by this provider");
  }
};

}  // namespace v1
}  // namespace ocelot
