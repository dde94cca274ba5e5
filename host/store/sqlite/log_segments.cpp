#include "host/store/sqlite/log_segments.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/process/fd.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  const int error = errno;
  throw Unavailable(what + " " + path + ": " + std::strerror(error) +
                    (error == ENOSPC || error == EDQUOT ? "; free space, or keep fewer builds (keep:)" : ""));
}

}  // namespace

std::string LogSegments::name(const std::string& build_id, std::int64_t fence) {
  if (build_id.size() != 36 || build_id.find_first_not_of("0123456789abcdef-") != std::string::npos)
    throw std::invalid_argument("name the log of build \"" + build_id + "\": that is no build's id");
  return "logs/" + build_id.substr(0, 2) + "/" + build_id + "." + std::to_string(fence) + ".log";
}

std::string LogSegments::path(const std::string& build_id, std::int64_t fence) const {
  return folder_ + "/" + name(build_id, fence);
}

std::int64_t LogSegments::append(const std::string& build_id, std::int64_t fence, std::int64_t size,
                                 std::string_view bytes) const {
  const std::string at = path(build_id, fence);
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  int fd = ::open(at.c_str(), flags, 0600);
  if (fd < 0 && errno == ENOENT) {
    ::mkdir((folder_ + "/logs").c_str(), 0700);
    ::mkdir(at.substr(0, at.rfind('/')).c_str(), 0700);
    fd = ::open(at.c_str(), flags, 0600);
  }
  if (fd < 0) fail("open", at);
  const process::Fd file(fd);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("look at", at);
  if (status.st_size < size) return status.st_size;
  if (status.st_size > size && ::ftruncate(file.get(), size) != 0) fail("cut", at);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pwrite(file.get(), bytes.data() + done, bytes.size() - done,
                                   static_cast<off_t>(size) + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("write", at);
    done += static_cast<std::size_t>(count);
  }
  return size + static_cast<std::int64_t>(bytes.size());
}

void LogSegments::sync(const std::string& build_id, std::int64_t fence) const {
  const std::string at = path(build_id, fence);
  const process::Fd file(::open(at.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    if (errno == ENOENT) return;
    fail("open", at);
  }
  if (::fdatasync(file.get()) != 0) fail("flush", at);
  // The name too: a new file's entry lives in its folder.
  const process::Fd folder(::open(at.substr(0, at.rfind('/')).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) fail("flush the folder of", at);
}

std::string LogSegments::read(const std::string& build_id, std::int64_t fence, std::int64_t offset, std::int64_t size,
                              std::size_t max_bytes) const {
  if (offset < 0 || offset >= size) return {};
  const std::string at = path(build_id, fence);
  const process::Fd file(::open(at.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    if (errno == ENOENT) return {};  // removed with its build while somebody was reading
    fail("open", at);
  }
  std::string bytes(static_cast<std::size_t>(std::min<std::int64_t>(
                        size - offset, static_cast<std::int64_t>(std::min<std::size_t>(max_bytes, INT64_MAX)))),
                    '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(file.get(), bytes.data() + done, bytes.size() - done,
                                  static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", at);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

void LogSegments::remove(const std::string& build_id, std::int64_t fence) const {
  const std::string at = path(build_id, fence);
  if (::unlink(at.c_str()) != 0 && errno != ENOENT) fail("remove", at);
}

}  // namespace ocelot::store
