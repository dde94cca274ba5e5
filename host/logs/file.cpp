#include "host/logs/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace ocelot::logs {

File::File(std::string path, int flags) : path_(std::move(path)), fd_(::open(path_.c_str(), flags | O_CLOEXEC, 0640)) {
  if (fd_ < 0) fail("open");
}

File::~File() { ::close(fd_); }

void File::fail(const char* what) const {
  const int error = errno;
  std::string text = std::string(what) + ' ' + path_ + ": " + std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT) text += "; make room on that disk, or set a smaller log limit";
  throw std::runtime_error(text);
}

std::int64_t File::size() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) fail("look at");
  return info.st_size;
}

void File::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t File::readAt(std::int64_t offset, char* to, std::size_t size) const {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more = ::pread(fd_, to + got, size - got, offset + static_cast<std::int64_t>(got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) fail("read");
    if (more == 0) break;
    got += static_cast<std::size_t>(more);
  }
  return got;
}

void File::truncate(std::int64_t size) {
  if (::ftruncate(fd_, size) != 0) fail("cut back");
}

void File::sync() {
  if (::fdatasync(fd_) != 0) fail("sync");
}

std::string readFileIfPresent(const std::string& path, std::size_t most) {
  if (::access(path.c_str(), F_OK) != 0) return "";
  const File file(path, O_RDONLY);
  std::string bytes(std::min<std::size_t>(most, static_cast<std::size_t>(file.size())), '\0');
  bytes.resize(file.readAt(0, bytes.data(), bytes.size()));
  return bytes;
}

}  // namespace ocelot::logs
