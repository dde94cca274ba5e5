#include "host/plugin/trusted_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot::plugin {
namespace {

[[noreturn]] void refuse(std::string path, const std::string& why) {
  path = path.substr(0, std::min(path.size(), path.find('\0')));
  if (path.size() > 200) path = path.substr(0, 200) + "…";
  throw Error(Status::invalid, "plugin " + path + ": " + why);
}

std::vector<std::string> namesOf(const std::string& path) {
  if (path.empty() || path.front() != '/') refuse(path, "the path is not absolute; write it out from /");
  if (path.size() > 4000 || path.find('\0') != std::string::npos) refuse(path, "that is no path");
  std::vector<std::string> names;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, end - at);
    if (name == "." || name == "..") refuse(path, "the path goes through \"" + name + "\"; write it out from /");
    if (!name.empty()) names.push_back(name);
    at = end + 1;
  }
  if (names.empty() || path.back() == '/') refuse(path, "it is a folder, not a file");
  return names;
}

void checkOwner(const std::string& path, const std::string& place, const struct stat& status) {
  const bool sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if (status.st_uid != 0 && status.st_uid != geteuid())
    refuse(path, place + " belongs to uid " + std::to_string(status.st_uid) +
                     ", who could change what is run here; chown it to root or to the user that Ocelot runs as");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky_folder)
    refuse(path, place + " can be written by " + ((status.st_mode & S_IWOTH) != 0 ? "everyone" : "its group") +
                     "; chmod go-w " + place);
}

}  // namespace

OpenFile::~OpenFile() {
  if (fd_ >= 0) close(fd_);
}

OpenFile openTrusted(const std::string& path) {
  const std::vector<std::string> names = namesOf(path);
  int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (at < 0) refuse(path, std::string("/: ") + std::strerror(errno));
  std::string place = "/";
  for (std::size_t i = 0;; ++i) {
    const OpenFile folder(at);
    struct stat status {};
    if (fstat(folder.fd(), &status) != 0) refuse(path, place + ": " + std::strerror(errno));
    checkOwner(path, place, status);
    const bool last = i + 1 == names.size();
    place = (place == "/" ? "" : place) + "/" + names[i];
    // Looked at before it is opened: to open a device or a pipe can already do something.
    const OpenFile seen(openat(folder.fd(), names[i].c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (seen.fd() < 0) {
      if (errno == ENOENT) throw Error(Status::not_found, "plugin " + path + ": there is no " + place);
      refuse(path, place + ": " + std::strerror(errno));
    }
    if (fstat(seen.fd(), &status) != 0) refuse(path, place + ": " + std::strerror(errno));
    if (S_ISLNK(status.st_mode)) refuse(path, place + " is a symbolic link; give the path that it leads to");
    if (!last) {
      if (!S_ISDIR(status.st_mode)) refuse(path, place + " is not a folder");
      at = fcntl(seen.fd(), F_DUPFD_CLOEXEC, 3);
      if (at < 0) refuse(path, place + ": " + std::strerror(errno));
      continue;
    }
    if (S_ISDIR(status.st_mode)) refuse(path, "it is a folder, not a file");
    if (!S_ISREG(status.st_mode)) refuse(path, "it is not a regular file");
    checkOwner(path, place, status);
    // The very inode that was looked at, whatever its name means by now.
    const int fd = open(("/proc/self/fd/" + std::to_string(seen.fd())).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) refuse(path, place + ": " + std::strerror(errno));
    return OpenFile(fd);
  }
}

}  // namespace ocelot::plugin
