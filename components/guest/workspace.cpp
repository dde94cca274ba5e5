#include "components/guest/workspace.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <string_view>

#include "components/guest/fd.hpp"

namespace ocelot::guest {

namespace {

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::string failed(const std::string& what, const std::string& path, int error) {
  return what + " " + path + ": " + errorText(error);
}

std::string notGiven(const std::string& path, int error) {
  return failed("change the owner of", path, error) +
         (error == EINVAL ? "; the container has no such id: its user namespace is too small" : "");
}

std::string makeFolders(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
      struct stat facts {};
      const int error = errno;
      if (::stat(part.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return failed("make the folder", part, error);
    }
    if (end == path.npos) return "";
  }
}

// The folder itself comes last: its owner says whether the walk was done before.
std::string giveTree(Fd folder_fd, const std::string& path, dev_t device, const User& user) {
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(folder_fd.get()));
  if (!folder) return failed("read", path, errno);
  folder_fd.release();
  const int fd = ::dirfd(folder.get());
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat facts {};
    if (::fstatat(fd, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return failed("look at", path + "/" + entry->d_name, errno);
    }
    if (S_ISDIR(facts.st_mode)) {
      if (facts.st_dev != device) continue;
      Fd below(::openat(fd, entry->d_name, kOpenFolder));
      if (!below && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) continue;
      if (!below) return failed("open", path + "/" + entry->d_name, errno);
      if (auto failure = giveTree(std::move(below), path + "/" + entry->d_name, device, user); !failure.empty())
        return failure;
    } else if (facts.st_uid != user.uid &&
               ::fchownat(fd, entry->d_name, user.uid, user.gid, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT) {
      return notGiven(path + "/" + entry->d_name, errno);
    }
  }
  if (::fchown(fd, user.uid, user.gid) != 0) return notGiven(path, errno);
  return "";
}

}  // namespace

std::string giveWorkspace(const std::string& path, const User& user) {
  if (auto failure = makeFolders(path); !failure.empty()) return failure;
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat facts {};
  if (!folder || ::fstat(folder.get(), &facts) != 0) return failed("open", path, errno);
  if (user.uid == 0 || facts.st_uid == user.uid) return "";
  return giveTree(std::move(folder), path, facts.st_dev, user);
}

}  // namespace ocelot::guest
