#pragma once
// The directory of one build on a worker, in its two halves (host/journal/README.md has the table of files). Who works
// on it holds its lock: never two adopters, and never a pid file.

#include <cstdint>
#include <optional>
#include <string>

namespace ocelot::builddir {

// An flock(2) that ends with its owner, also when the owner is killed.
class Lock {
 public:
  ~Lock();
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;
  static std::optional<Lock> tryTake(const std::string& path);  // nullopt: somebody holds it
 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

class Directory {
 public:
  // `disk`: <data>/builds/<uuid>; `run`: <run>/builds/<uuid>, on tmpfs.
  Directory(std::string disk, std::string run);

  // Makes both halves, 0700. Throws std::system_error.
  void create() const;
  // Removes what the worker may remove: everything but the workspace, which the runtime plugin removes before.
  void remove() const;

  const std::string& disk() const { return disk_; }
  const std::string& run() const { return run_; }
  std::string spec() const { return disk_ + "/spec.json"; }
  std::string log() const { return disk_ + "/log"; }
  std::string index() const { return disk_ + "/index"; }
  std::string events() const { return disk_ + "/events"; }
  std::string lockFile() const { return disk_ + "/lock"; }
  std::string workspace() const { return disk_ + "/workspace"; }
  std::string processLog() const { return run_ + "/process.log"; }
  std::string journal() const { return run_ + "/journal"; }
  std::string mask() const { return run_ + "/mask"; }
  std::string pass() const { return run_ + "/pass"; }
  std::string cursor() const { return run_ + "/cursor"; }
  std::string cancelFile() const { return run_ + "/cancel"; }
  std::string control() const { return run_ + "/control"; }
  std::string alive() const { return run_ + "/alive"; }
  std::string readCount() const { return run_ + "/read"; }

  // Is a build process at work on it?
  bool busy() const;

 private:
  std::string disk_, run_;
};

// Whole small files. Written by rename where a reader may look at any time.
std::optional<std::string> readIfPresent(const std::string& path, std::size_t max_bytes = 64u << 20);
void replaceFile(const std::string& path, const std::string& bytes, int mode = 0600);
// In place, in fixed width, for files that somebody holds open.
void overwriteNumber(const std::string& path, std::uint64_t number);

// A worker's sign of life in a build's `alive`: the moment at which its lease was known to be its own. The guest only
// looks for change; a build process of the same machine can tell how old it is.
std::int64_t bootMillis();  // CLOCK_BOOTTIME
void showSignOfLife(const std::string& alive, std::int64_t boot_millis);
std::int64_t signOfLife(const std::string& alive);  // 0: there is none

}  // namespace ocelot::builddir
