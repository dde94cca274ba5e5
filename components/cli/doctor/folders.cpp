// The folders of this installation: whose they are, and what they lie on.

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <filesystem>

#include "components/cli/doctor/check.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

bool isNetwork(const std::string& path) {
  struct statfs system {};
  if (::statfs(path.c_str(), &system) != 0) return false;
  switch (static_cast<unsigned long>(system.f_type) & 0xFFFFFFFFUL) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case V9FS_MAGIC:
    case CEPH_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
      return true;
    default:
      return false;
  }
}

bool isInMemory(const std::string& path) {
  struct statfs system {};
  return ::statfs(path.c_str(), &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

// The folder, or the nearest one above it that is there.
std::string nearestThere(fs::path path) {
  while (!fs::exists(path) && path.has_relative_path()) path = path.parent_path();
  return path;
}

// Whose it is and who may enter. false: something is wrong with that.
bool checkOwner(const std::string& what, const std::string& path, Checks& checks) {
  struct stat folder {};
  if (::stat(path.c_str(), &folder) != 0) {
    const std::string above = nearestThere(path);
    if (::access(above.c_str(), W_OK) == 0) {
      checks.push_back({Health::ok, what, path + " is not there yet; the first start makes it", ""});
      return true;
    }
    checks.push_back({Health::fail, what, path + " cannot be made: " + above + " is not yours to write",
                      "name another: --data DIR"});
    return false;
  }
  if (folder.st_uid != ::geteuid()) {
    checks.push_back({Health::fail, what, path + " belongs to user " + std::to_string(folder.st_uid),
                      "run as that user, or name another: --data DIR"});
    return false;
  }
  if ((folder.st_mode & 077) != 0) {
    checks.push_back({Health::warn, what, path + " may be entered by others", "chmod 700 " + path});
    return false;
  }
  return true;
}

std::string gib(std::uint64_t bytes) { return std::to_string(bytes >> 30) + " GiB"; }

}  // namespace

void checkFolders(const Installation& installation, Checks& checks) {
  const std::string data = nearestThere(installation.data_dir), run = nearestThere(installation.run_dir);
  bool good = checkOwner("data folder", installation.data_dir, checks);
  struct statvfs system {};
  ::statvfs(data.c_str(), &system);
  if (isNetwork(data)) {
    checks.push_back({Health::fail, "data folder", data + " is on a network file system, where locks are not safe",
                      "choose a local disk, or store.kind: postgres with a local data_dir"});
    good = false;
  }
  if ((system.f_flag & ST_NOEXEC) != 0) {
    checks.push_back({Health::fail, "data folder", data + " is mounted noexec: nothing in an image could be run",
                      "mount it with exec, or name another: --data DIR"});
    good = false;
  }
  const std::uint64_t free = system.f_bavail * system.f_frsize, total = system.f_blocks * system.f_frsize;
  const auto least = installation.config.share("worker.min_free_disk").of(static_cast<std::int64_t>(total));
  if (static_cast<std::int64_t>(free) < least) {
    checks.push_back({Health::fail, "data folder",
                      data + " has only " + gib(free) + " of " + gib(total) + " left: no builds are taken",
                      "make room, or lower worker.min_free_disk"});
    good = false;
  }
  if (good && fs::exists(installation.data_dir))
    checks.push_back({Health::ok, "data folder", installation.data_dir + ", " + gib(free) + " free", ""});

  good = checkOwner("run folder", installation.run_dir, checks);
  if (!isInMemory(run)) {
    checks.push_back({Health::warn, "run folder",
                      run + " is on a disk: what builds print before it is masked would touch it",
                      "set run_dir to a folder on a tmpfs, like /run/ocelot"});
  } else if (good && fs::exists(installation.run_dir)) {
    checks.push_back({Health::ok, "run folder", installation.run_dir + ", in memory", ""});
  }
}

}  // namespace ocelot::cli
