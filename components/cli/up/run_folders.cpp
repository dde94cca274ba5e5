#include "components/cli/up/run_folders.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "components/cli/command.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

std::string lockOf(const std::string& folder) { return folder + "/up.lock"; }
std::string markOf(const std::string& folder) { return folder + "/data-dir"; }

bool isNumbered(const std::string& name) {
  const std::string start = "ocelot-";
  return name.starts_with(start) && name.size() > start.size() &&
         name.find_first_not_of("0123456789", start.size()) == std::string::npos;
}

// A folder of ours, and no link to one.
bool isOurs(const std::string& folder) {
  struct stat status {};
  return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

// Certainly: what cannot be looked at may be there.
bool isGone(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

// A blank stands as \040 in what the kernel says, which none of these folders has.
bool hasMounts(const std::string& folder) {
  std::ifstream mounts("/proc/self/mountinfo");
  if (!mounts) return true;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, place;
    words >> id >> parent >> device >> root >> place;
    if (place == folder || place.starts_with(folder + "/")) return true;
  }
  return false;
}

}  // namespace

builddir::Lock holdRunFolder(const std::string& run_dir, const std::string& data_dir) {
  auto lock = builddir::Lock::tryTake(lockOf(run_dir));
  if (!lock)
    throw Failure("the run folder " + run_dir + " is in use by an `ocelot up` of another data folder",
                  "give each a run_dir of its own: --set run_dir=DIR");
  builddir::replaceFile(markOf(run_dir), data_dir + "\n");
  return std::move(*lock);
}

std::vector<std::string> sweepRunFolders(const std::string& base) {
  std::vector<std::string> removed;
  std::error_code error;
  std::vector<std::string> folders;
  for (fs::directory_iterator entry(base, error), end; !error && entry != end; entry.increment(error))
    if (isNumbered(entry->path().filename())) folders.push_back(entry->path());
  std::sort(folders.begin(), folders.end());
  for (const std::string& folder : folders) {
    if (!isOurs(folder)) continue;
    const auto mark = builddir::readIfPresent(markOf(folder), 8192);
    const std::string data = mark ? mark->substr(0, mark->find('\n')) : "";
    if (!data.starts_with("/") || !isGone(data)) continue;
    const auto lock = builddir::Lock::tryTake(lockOf(folder));
    if (!lock || hasMounts(folder)) continue;
    fs::remove_all(folder, error);
    if (!error) removed.push_back(folder);
  }
  return removed;
}

}  // namespace ocelot::cli
