#include "host/git/copy.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace ocelot::git {

namespace {

namespace fs = std::filesystem;

class Fd {
 public:
  Fd(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0444)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "open " + path);
  }
  ~Fd() { ::close(fd_); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  operator int() const { return fd_; }

 private:
  int fd_;
};

void copyFile(const std::string& from, const std::string& to) {
  const Fd in(from, O_RDONLY);
  const Fd out(to, O_WRONLY | O_CREAT | O_EXCL);
  if (::ioctl(out, FICLONE, static_cast<int>(in)) == 0) return;
  for (;;) {
    // sendfile and copy_file_range alike fall short somewhere; this one works on every file system since Linux 5.19.
    const ssize_t copied = ::copy_file_range(in, nullptr, out, nullptr, 1u << 30, 0);
    if (copied == 0) return;
    if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) break;
    if (copied < 0 && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "copy " + from + " to " + to);
  }
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(in, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), "read " + from);
    if (got == 0) return;
    for (ssize_t put = 0; put < got;) {
      const ssize_t more = ::write(out, buffer + put, static_cast<std::size_t>(got - put));
      if (more < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "write " + to);
      if (more > 0) put += more;
    }
  }
}

}  // namespace

void copyObjects(const std::string& from, const std::string& to) {
  for (const fs::directory_entry& folder : fs::directory_iterator(from)) {
    const std::string name = folder.path().filename().string();
    const bool loose = name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!loose && name != "pack") continue;
    fs::create_directories(to + "/" + name);
    for (const fs::directory_entry& file : fs::directory_iterator(folder.path())) {
      const std::string file_name = file.path().filename().string();
      const std::string extension = file.path().extension().string();
      const bool wanted =
          loose ? file_name.substr(0, 4) != "tmp_" : extension == ".pack" || extension == ".idx" || extension == ".rev";
      if (wanted) copyFile(file.path().string(), to + "/" + name + "/" + file_name);
    }
  }
}

}  // namespace ocelot::git
