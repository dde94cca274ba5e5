#pragma once
// Runs git for one repository: the environment it may see, the credentials it may use, the folders it may write to, and
// what its failures mean.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/git/git.hpp"
#include "host/git/words.hpp"
#include "host/process/process.hpp"

namespace ocelot::git {

// What a session's private folder holds (0700, in memory where there is such a place): configuration, ssh key, known
// hosts.
class SessionFolder {
 public:
  SessionFolder();
  ~SessionFolder();
  SessionFolder(const SessionFolder&) = delete;
  SessionFolder& operator=(const SessionFolder&) = delete;
  // Writes a file of that mode and returns its path.
  std::string write(const std::string& name, std::string_view content, unsigned mode) const;

 private:
  std::string path_;
};

struct GitCommand {
  std::vector<std::string> arguments;
  std::vector<std::string> writable;               // folders; nothing else can be written to
  std::map<std::string, std::string> environment;  // on top of the session's: GIT_DIR, …
  std::string input;
  std::size_t max_output_bytes = 4u << 20;
  bool network = false;      // talks to the remote: credentials are at hand, and its progress is told
  bool output_whole = true;  // a longer output is Error(invalid)
  const char* doing = "";    // completes "… <url>: what came back": "fetch", "read the heads of"
};

class Session {
 public:
  Session(const Settings& settings, CloneAccess access, Url url);

  const Url& url() const { return url_; }
  const CloneAccess& access() const { return access_; }
  // Any exit status.
  process::Result tryRun(Call& call, const GitCommand& command, const Progress& progress = {}) const;
  // Throws what the failure means when the exit status is not 0.
  process::Result run(Call& call, const GitCommand& command, const Progress& progress = {}) const;
  Error failure(const GitCommand& command, const process::Result& result) const;

 private:
  std::string scrubbed(std::string_view text) const;

  const Settings& settings_;
  CloneAccess access_;
  Url url_;
  SessionFolder folder_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::string> credentials_;  // for network commands alone
};

// The last lines of git's stderr that say something, as one.
std::string lastWords(std::string_view err);
// Does this say that a repository of ours is damaged?
bool saysDamaged(std::string_view err);

}  // namespace ocelot::git
