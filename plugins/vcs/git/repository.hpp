#pragma once
// One repository: questions to the remote, and a bare mirror in the cache for what needs history. Everything that is
// given to git has been checked by words.hpp.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocelot/vcs.hpp"
#include "program.hpp"
#include "words.hpp"

namespace ocelot::vcs_git {

// A private folder (0700, in memory where there is such a place) for a key and git's configuration; goes with the
// object.
class PrivateFolder {
 public:
  PrivateFolder();
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  std::string write(const std::string& name, std::string_view content) const;  // returns the path; mode 0600

 private:
  std::string path_;
};

// A repository that is asked for a commit is one that was there: gone, it may come back (a disk that is not mounted, a
// host being mended, a password to be renewed). not_found is left to mean that it has no such commit or file.
Error comesBack(const Error& error);

class Repository {
 public:
  using Refs = std::vector<std::pair<std::string, std::string>>;  // name, id

  // `key` names the mirror in `cache`: another for each URL and credential.
  Repository(Url url, CloneAccess access, const std::string& cache, const std::string& key);

  // As the remote has them now: those of these names, or of these beginnings where a name ends in '*'. More than 10,000
  // is Error(invalid).
  Refs listRemote(Call& call, const std::vector<std::string>& patterns) const;
  // The same, of a repository that was there before.
  Refs listKnown(Call& call, const std::vector<std::string>& patterns) const;
  // The mirror has the commit after this. not_found: the repository answers and has none; unavailable: it is away;
  // invalid: git refuses an object of it. A branch that is refused stops no other, and is told by call.log.
  void fetch(Call& call, std::string_view commit) const;
  // Fetches everything that can be; then the full id of an abbreviated one, "" when there is none.
  std::string findAbbreviated(Call& call, std::string_view abbreviation) const;
  // nullopt: the commit has no such file.
  std::optional<std::string> readFile(Call& call, std::string_view commit, std::string_view path,
                                      std::uint64_t max_bytes) const;
  // "read <path> at <commit> of <url>: ", for messages.
  std::string reading(std::string_view commit, std::string_view path) const;
  void readChanges(Call& call, std::string_view commit, std::string_view before, Change& change) const;

  // Names what it is: another for each URL and credential.
  const std::string& key() const { return key_; }

 private:
  Ended git(Call& call, std::vector<std::string> arguments, bool network = false,
            std::size_t max_output = 4u << 20) const;
  Ended mustGit(Call& call, const char* doing, std::vector<std::string> arguments, bool network = false,
                std::size_t max_output = 4u << 20) const;
  // A question to the mirror about the commit: fetched only when it cannot be answered, for nearly always it can.
  Ended askMirror(Call& call, std::string_view commit, const char* doing,
                  const std::vector<std::string>& arguments) const;
  // nullopt: ls-remote has to be asked.
  std::optional<Refs> listLocal(Call& call, const std::vector<std::string>& patterns) const;
  Error tooManyRefs() const;
  Error failure(const char* doing, const Ended& ended, bool network) const;
  bool has(Call& call, std::string_view commit) const;
  Ended fetchRefs(Call& call, const std::vector<std::string>& refspecs, bool prune) const;
  // Returns what could not be fetched: "refs/heads/x: why".
  std::vector<std::string> fetchAll(Call& call, std::size_t digits) const;
  void fetchEach(Call& call, const std::string* names, std::size_t count, int& fetches_left,
                 std::vector<std::string>& refused) const;
  std::map<std::string, std::string> mirrored(Call& call) const;
  void fetchOnce(Call& call, std::string_view commit) const;
  void repackWhenSlow(Call& call) const;
  void makeMirror(std::size_t digits) const;
  void readMessages(Call& call, std::string_view commit, const std::string& since, Change& change) const;

  // What git runs in. Made when it first runs: most questions are answered without it.
  struct Surroundings {
    PrivateFolder folder;
    std::map<std::string, std::string> environment, credentials;
  };
  const Surroundings& surroundings() const;

  Url url_;
  CloneAccess access_;
  std::string key_, mirror_;
  mutable std::optional<Surroundings> surroundings_;
};

}  // namespace ocelot::vcs_git
