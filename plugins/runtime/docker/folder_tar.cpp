#include "folder_tar.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "json.hpp"

namespace ocelot::docker {
namespace {

class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  ~File() { close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// The tar that runs; killed and reaped when it is not wanted any more.
class Child {
 public:
  Child(const std::string& folder, int out, int err) {
    const char* const arguments[] = {
        "tar",          "--create", "--file=-", "--numeric-owner", "--one-file-system", "--xattrs", "--directory",
        folder.c_str(), ".",        nullptr};
    const char* const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", nullptr};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_adddup2(&files, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // Poco blocks signals in its threads, and a tar that ignores SIGPIPE would not end with its reader.
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int error = ::posix_spawnp(&pid_, "tar", &files, &attributes, const_cast<char* const*>(arguments),
                                     const_cast<char* const*>(environment));
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      pid_ = -1;
      throw Error(Status::unsupported, "docker: importing " + folder + ": tar cannot be run: " + std::strerror(error));
    }
  }
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

void awaitReadable(Call& call, int fd) {
  for (;;) {
    call.check("reading a folder");
    const int left = call.remainingMs();
    pollfd wanted[2] = {{fd, POLLIN, 0}, {call.cancelFd(), POLLIN, 0}};
    const int slice = call.cancelFd() < 0 ? 200 : 60000;
    if (::poll(wanted, 2, left < 0 ? slice : std::min(left, slice)) > 0 && wanted[0].revents != 0) return;
  }
}

}  // namespace

void writeFolder(Call& call, const std::string& folder, const std::function<bool(const char*, std::size_t)>& put) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw Error(Status::internal, std::string("docker: pipe: ") + std::strerror(errno));
  const File in(ends[0]);
  File out(ends[1]);
  const File complaints(::memfd_create("tar", MFD_CLOEXEC));
  Child tar(folder, out.get(), complaints.get());
  out.close();

  std::string buffer(256u << 10, '\0');
  for (;;) {
    awaitReadable(call, in.get());
    const ssize_t size = ::read(in.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw Error(Status::internal, "docker: reading " + folder + ": " + std::strerror(errno));
    if (size == 0) break;
    if (!put(buffer.data(), static_cast<std::size_t>(size))) return;
  }
  const int status = tar.reap();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const ssize_t size = ::pread(complaints.get(), buffer.data(), 600, 0);
  buffer.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  throw Error(Status::invalid,
              "docker: importing " + folder + ": " + printable(buffer) + "; run it as the folder's owner, or as root");
}

}  // namespace ocelot::docker
