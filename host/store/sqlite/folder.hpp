#pragma once
// The folder of a SQLite store: made private, refused where SQLite's locks do not hold.

#include <optional>
#include <string>

namespace ocelot::store {

// The name of a file system whose locks reach other machines badly or not at all, by statfs's magic; nullopt: a local
// one.
std::optional<std::string> networkFileSystem(unsigned long magic);

// Makes it (0700) with its parents. Throws std::invalid_argument with what to do, Unavailable when it cannot be made.
void prepareFolder(const std::string& path);

// A shared or exclusive flock on <folder>/lock, held as long as the object lives: every open store holds the shared
// one, restore the exclusive one. The kernel drops it with the process, so there is nothing stale to clean.
class FolderLock {
 public:
  enum class Mode { shared, exclusive };
  FolderLock(const std::string& folder, Mode mode);  // Conflict: held by somebody else the other way
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace ocelot::store
