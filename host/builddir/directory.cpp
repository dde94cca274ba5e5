#include "host/builddir/directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

namespace ocelot::builddir {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

void makeFolder(const std::string& path) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail("make folder " + path);
}

void writeAll(int fd, const std::string& bytes, const std::string& path) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const int reason = errno;
      ::close(fd);
      errno = reason;
      fail("write " + path);
    }
    done += static_cast<std::size_t>(put);
  }
}

}  // namespace

Lock::~Lock() {
  if (fd_ >= 0) ::close(fd_);
}

Lock::Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

std::optional<Lock> Lock::tryTake(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) fail("open " + path);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return Lock(fd);
  ::close(fd);
  return std::nullopt;
}

Directory::Directory(std::string disk, std::string run) : disk_(std::move(disk)), run_(std::move(run)) {}

void Directory::create() const {
  makeFolder(disk_);
  makeFolder(run_);
  makeFolder(control());
}

void Directory::remove() const {
  std::error_code ignored;
  std::filesystem::remove_all(run_, ignored);
  std::filesystem::remove_all(disk_, ignored);
}

bool Directory::busy() const {
  if (::access(disk_.c_str(), F_OK) != 0) return false;
  return !Lock::tryTake(lockFile());
}

std::optional<std::string> readIfPresent(const std::string& path, std::size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail("open " + path);
  }
  std::string bytes;
  char buffer[16384];
  ssize_t got = 0;
  while (bytes.size() <= max_bytes && ((got = ::read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)))
    if (got > 0) bytes.append(buffer, static_cast<std::size_t>(got));
  const int failed = got < 0 ? errno : 0;
  ::close(fd);
  // Half a file is not the file: a folder, a disk that does not answer.
  if (failed != 0) throw std::system_error(failed, std::generic_category(), "read " + path);
  if (bytes.size() > max_bytes) throw std::runtime_error("read " + path + ": larger than it can be");
  return bytes;
}

void replaceFile(const std::string& path, const std::string& bytes, int mode) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) fail("write " + fresh);
  writeAll(fd, bytes, fresh);
  ::close(fd);
  if (::rename(fresh.c_str(), path.c_str()) != 0) fail("rename " + fresh);
}

void overwriteNumber(const std::string& path, std::uint64_t number) {
  char text[24];
  // Fixed width: a reader never sees half of an old number behind a new one.
  const int size = std::snprintf(text, sizeof text, "%020" PRIu64 "\n", number);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) fail("write " + path);
  const bool good = ::pwrite(fd, text, static_cast<std::size_t>(size), 0) == size;
  ::close(fd);
  if (!good) fail("write " + path);
}

std::int64_t bootMillis() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void showSignOfLife(const std::string& alive, std::int64_t boot_millis) {
  overwriteNumber(alive, static_cast<std::uint64_t>(boot_millis));
}

std::int64_t signOfLife(const std::string& alive) {
  const auto text = readIfPresent(alive, 64);
  std::int64_t value = 0;
  return text && std::sscanf(text->c_str(), "%" SCNd64, &value) == 1 ? value : 0;
}

}  // namespace ocelot::builddir
