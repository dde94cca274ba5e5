#include "tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

namespace ocelot::docker {
namespace {

constexpr int kMostDepth = 64;

class Sweep {
 public:
  explicit Sweep(int top) : top_(top) {}

  // Everything below `folder`, which is closed. True when nothing is left.
  bool clear(int folder, int depth) {
    if (folder < 0) return false;
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(folder), ::closedir);
    if (!listing) return ::close(folder), false;
    bool all = true;
    // The names first: what readdir does with a folder that changes meanwhile is left to the file system.
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(listing.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    for (const std::string& name : names) all = remove(::dirfd(listing.get()), name, depth) && all;
    return all;
  }

  bool moved() const { return moved_; }
  void nextRound() { moved_ = false; }

 private:
  bool remove(int folder, const std::string& name, int depth) {
    if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return true;
    if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0) return true;
    if (depth >= kMostDepth) return lift(folder, name);
    int inner = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0 && errno == EACCES && ::fchmodat(folder, name.c_str(), 0700, 0) == 0) {
      inner = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (inner < 0) return false;
    struct stat mode {};
    if (::fstat(inner, &mode) == 0 && (mode.st_mode & 0700) != 0700) (void)::fchmod(inner, 0700);
    clear(inner, depth + 1);
    return ::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0;
  }

  // Too deep to hold one descriptor a level: up to the top with it, for the next round.
  bool lift(int folder, const std::string& name) {
    for (int tries = 0; tries < 1000000; ++tries) {
      char target[32];
      std::snprintf(target, sizeof target, ".ocelot-%d", ++lifted_);
      if (::renameat2(folder, name.c_str(), top_, target, RENAME_NOREPLACE) == 0) return moved_ = true;
      if (errno != EEXIST) return false;
    }
    return false;
  }

  int top_;
  int lifted_ = 0;
  bool moved_ = false;
};

}  // namespace

bool emptyFolder(const std::string& folder) {
  const int top = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (top < 0) return errno == ENOENT;
  Sweep sweep(top);
  bool all = false;
  do {
    sweep.nextRound();
    all = sweep.clear(::openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
  } while (sweep.moved());
  ::close(top);
  return all;
}

}  // namespace ocelot::docker
