#pragma once
// The bare mirror of one repository on this worker. Whoever reads it holds a shared lock, whoever changes it an
// exclusive one.

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "host/git/session.hpp"

namespace ocelot::git {

// A flock on a file beside the mirror, waited for as long as the call allows.
class MirrorLock {
 public:
  enum class Mode { shared, exclusive };
  MirrorLock(Call& call, const std::string& file, Mode mode);
  ~MirrorLock();
  MirrorLock(const MirrorLock&) = delete;
  MirrorLock& operator=(const MirrorLock&) = delete;
  // The exclusive one, unless somebody has it in any mode.
  static std::unique_ptr<MirrorLock> ifFree(const std::string& file);

 private:
  explicit MirrorLock(const std::string& file);
  bool tryTake(Mode mode) const;
  int fd_ = -1;
};

class Mirror {
 public:
  // The same URL with other credentials is another mirror: what one repo's key may fetch is not for the next to see.
  // commit_digits: 40, or 64 for a repository of SHA-256.
  Mirror(const Settings& settings, const Session& session, std::size_t commit_digits);

  const std::string& path() const { return path_; }
  std::string objects() const { return path_ + "/objects"; }

  // Runs `use` under the shared lock with a mirror that has the commit, fetching when it does not. When `use` finds the
  // mirror damaged it throws Damaged: the mirror is made anew, once, and `use` run again.
  // by_use: `use` begins with something that fails as Damaged when the commit is not there, which saves asking first.
  enum class Check { before, by_use };
  void with(Call& call, std::string_view commit, const Progress& progress, const std::function<void()>& use,
            Check check = Check::before);
  // Brings branches and tags up to date, whatever is there.
  void refresh(Call& call, const Progress& progress);

  class Damaged : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
  };

  // A command on the mirror that writes nothing.
  GitCommand command(std::vector<std::string> arguments, const char* doing) const;

  static void maintain(Call& call, const Settings& settings, std::chrono::hours unused);

 private:
  bool has(Call& call, std::string_view commit) const;
  void ensureMade() const;
  void discard() const;
  [[noreturn]] void failed(const GitCommand& git, const process::Result& result) const;
  void fetchAll(Call& call, const Progress& progress) const;
  void fetchCommit(Call& call, std::string_view commit, const Progress& progress) const;
  void update(Call& call, std::string_view commit, const Progress& progress) const;
  // true: the mirror was damaged and made anew.
  bool updateOrRebuild(Call& call, std::string_view commit, const Progress& progress) const;
  void repackWhenSlow(Call& call) const;

  const Settings& settings_;
  const Session& session_;
  std::size_t commit_digits_;
  std::string path_, lock_file_;
};

}  // namespace ocelot::git
