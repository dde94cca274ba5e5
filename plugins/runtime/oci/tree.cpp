// Removing and listing folders that a build has filled: odd modes, any depth, links that point anywhere.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "file.hpp"

namespace ocelot::oci {
namespace {

// Deeper folders are moved up and emptied from there, so that neither descriptors nor the stack grow with a tree.
constexpr int kMaxDepth = 64;

struct CloseDir {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

bool isDots(const char* name) { return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)); }

// Opens a folder for reading. An ordinary user's own folder may be unreadable to him: then its mode is opened first.
int openFolder(int at, const char* name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = ::openat(at, name, kFlags);
  if (fd < 0 && errno == EACCES && ::fchmodat(at, name, 0700, 0) == 0) fd = ::openat(at, name, kFlags);
  return fd;
}

class Remover {
 public:
  explicit Remover(std::string path) : path_(std::move(path)) {}

  void empty(int folder) {
    top_ = folder;
    do {
      moved_ = false;
      emptyAt(folder, 0);
    } while (moved_);
  }

 private:
  void emptyAt(int fd, int depth) {
    const int copy = ::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const Dir folder(copy < 0 ? nullptr : ::fdopendir(copy));
    if (!folder) failSystem("read a folder below " + path_, errno);
    bool writable = false;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(folder.get());
      if (!entry) break;
      if (isDots(entry->d_name)) continue;
      if (remove(fd, entry->d_name, entry->d_type, depth)) continue;
      if (errno == EACCES && !writable) {
        writable = true;
        ::fchmod(fd, 0700);
        if (remove(fd, entry->d_name, entry->d_type, depth)) continue;
      }
      failSystem("remove " + std::string(entry->d_name) + " below " + path_, errno);
    }
  }

  bool remove(int fd, const char* name, unsigned char type, int depth) {
    if (type != DT_DIR) {
      if (::unlinkat(fd, name, 0) == 0 || errno == ENOENT) return true;
      if (errno != EISDIR && errno != EPERM) return false;
    }
    if (::unlinkat(fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES) return false;
    if (depth >= kMaxDepth) {
      if (::renameat(fd, name, top_, (".deep-" + randomName()).c_str()) != 0) return false;
      return moved_ = true;
    }
    {
      const Fd below(openFolder(fd, name));
      if (!below) return false;
      emptyAt(below.get(), depth + 1);
    }
    return ::unlinkat(fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
  }

  const std::string path_;
  int top_ = -1;
  bool moved_ = false;
};

}  // namespace

void removeTree(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return;
  if (errno != EISDIR && errno != EPERM) failSystem("remove " + path, errno);
  if (::rmdir(path.c_str()) == 0) return;
  {
    const Fd folder(openFolder(AT_FDCWD, path.c_str()));
    if (!folder) failSystem("remove " + path, errno);
    Remover(path).empty(folder.get());
  }
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) failSystem("remove " + path, errno);
}

bool tryRemoveTree(const std::string& path) noexcept {
  try {
    removeTree(path);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

namespace {

std::vector<std::string> entriesOf(const std::string& path, bool folders_only) {
  const Dir folder(::opendir(path.c_str()));
  std::vector<std::string> names;
  if (!folder) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    failSystem("read the folder " + path, errno);
  }
  while (const dirent* entry = ::readdir(folder.get()))
    if (!isDots(entry->d_name) && (!folders_only || entry->d_type == DT_DIR)) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::vector<std::string> namesIn(const std::string& folder) { return entriesOf(folder, false); }
std::vector<std::string> foldersIn(const std::string& folder) { return entriesOf(folder, true); }

}  // namespace ocelot::oci
