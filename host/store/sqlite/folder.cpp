#include "host/store/sqlite/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

namespace fs = std::filesystem;

struct Magic {
  unsigned long magic;
  const char* name;
};
constexpr Magic kNetwork[] = {
    {0x6969, "nfs"},        {0x517B, "smb"},        {0xFF534D42, "cifs"},  {0xFE534D42, "smb2"},
    {0x01021997, "9p"},     {0x65735546, "fuse"},   {0x00C36400, "ceph"},  {0x5346414F, "afs"},
    {0x73757245, "coda"},   {0x564C, "ncp"},        {0x7461636F, "ocfs2"}, {0x01161970, "gfs2"},
    {0x0BD00BD0, "lustre"}, {0x786F4256, "vboxsf"}, {0x47504653, "gpfs"},  {0xBACBACBC, "vmhgfs"},
};

bool holdsStoreOrNothing(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path + "/ocelot.db", ignored) || fs::is_empty(path, ignored);
}

}  // namespace

std::optional<std::string> networkFileSystem(unsigned long magic) {
  for (const Magic& entry : kNetwork)
    if (entry.magic == magic) return entry.name;
  return std::nullopt;
}

void prepareFolder(const std::string& path) {
  if (path.empty())
    throw std::invalid_argument("open the store: no folder is named; set store.path, for example /var/lib/ocelot");
  std::error_code error;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error) throw Unavailable("make folder " + parent.string() + ": " + error.message());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw Unavailable("make folder " + path + ": " + std::strerror(errno));
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw Unavailable("look at " + path + ": " + std::strerror(errno));
  if (!S_ISDIR(status.st_mode))
    throw std::invalid_argument("open the store: " + path + " is a file; store.path names a folder");

  struct statfs file_system {};
  if (::statfs(path.c_str(), &file_system) != 0)
    throw Unavailable("look at the file system of " + path + ": " + std::strerror(errno));
  if (const auto name = networkFileSystem(static_cast<unsigned long>(file_system.f_type) & 0xFFFFFFFFUL))
    throw std::invalid_argument(
        "open the store: " + path + " is on " + *name +
        ", where SQLite's locks are not safe; choose a folder on a local disk, or use PostgreSQL "
        "(store.kind: postgres)");
  // Only a folder that is ours to close: somebody may have named one that holds other things too. What Ocelot makes
  // inside is private in any case.
  if ((status.st_mode & 077) != 0 && status.st_uid == ::geteuid() && holdsStoreOrNothing(path))
    ::chmod(path.c_str(), 0700);
}

FolderLock::FolderLock(const std::string& folder, Mode mode) {
  const std::string path = folder + "/lock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) throw Unavailable("open " + path + ": " + std::strerror(errno));
  int result = 0;
  do {
    result = ::flock(fd_, (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return;
  const int why = errno;
  ::close(fd_);
  if (why != EWOULDBLOCK) throw Unavailable("lock " + path + ": " + std::strerror(why));
  throw Conflict(mode == Mode::shared
                     ? "open the store in " + folder + ": it is being restored; wait until that has ended"
                     : "restore into " + folder + ": an ocelot program has it open; stop it first");
}

FolderLock::~FolderLock() { ::close(fd_); }

}  // namespace ocelot::store
