#include "file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ocelot::oci {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

void failSystem(const std::string& doing, int error) {
  Status status = Status::internal;
  if (error == ENOENT) status = Status::not_found;
  if (error == ENOSPC || error == EDQUOT || error == ENOMEM || error == EAGAIN) status = Status::unavailable;
  std::string what = doing + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) what += "; free space there or point the option at a larger disk";
  throw Error(status, what);
}

std::optional<std::string> readFileIfPresent(const std::string& path, std::size_t max_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    failSystem("read " + path, errno);
  }
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ESRCH) return std::nullopt;  // below /proc: the process went while we looked
    if (got < 0) failSystem("read " + path, errno);
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > max_bytes)
      throw Error(Status::invalid, "read " + path + ": longer than " + std::to_string(max_bytes) + " bytes");
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

std::string readFile(const std::string& path, std::size_t max_bytes) {
  auto content = readFileIfPresent(path, max_bytes);
  if (!content) failSystem("read " + path, ENOENT);
  return std::move(*content);
}

void appendAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) failSystem("write " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

void writeFile(const std::string& path, std::string_view content, unsigned mode) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) failSystem("write " + path, errno);
  ::fchmod(fd.get(), mode);  // whatever the umask
  appendAll(fd.get(), content, path);
}

void replaceFile(const std::string& path, std::string_view content, unsigned mode) {
  const std::string beside = path + "." + randomName();
  try {
    writeFile(beside, content, mode);
    if (::rename(beside.c_str(), path.c_str()) != 0) failSystem("rename " + beside + " to " + path, errno);
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
}

void makeFolder(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    ::chmod(path.c_str(), mode);
    return;
  }
  if (errno != EEXIST) failSystem("make folder " + path, errno);
}

void makeFolders(const std::string& path, unsigned mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) failSystem("make folder " + parent, errno);
  }
  makeFolder(path, mode);
}

bool present(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

Fd tryLockFile(const std::string& path, LockKind kind) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) failSystem("open the lock " + path, errno);
  if (::flock(fd.get(), (kind == LockKind::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK && errno != EINTR) failSystem("lock " + path, errno);
  return Fd();
}

Fd lockFile(Call& call, const std::string& path, LockKind kind) {
  // flock has no deadline of its own; a short poll keeps the call's, and locks are rarely held against each other.
  for (;;) {
    if (Fd fd = tryLockFile(path, kind)) return fd;
    call.check("waiting for the lock " + path);
    pollfd cancel{call.cancelFd(), POLLIN, 0};
    ::poll(&cancel, cancel.fd >= 0 ? 1 : 0, 10);
  }
}

std::string randomName() {
  unsigned char bytes[8];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) failSystem("getrandom", errno);
  std::string name;
  for (const unsigned char byte : bytes) {
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 15];
  }
  return name;
}

}  // namespace ocelot::oci
