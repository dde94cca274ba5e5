#include "components/worker/local_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace ocelot::worker {
namespace {

constexpr int kBacklog = 64;

[[noreturn]] void socketFailed(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

process::Fd openFolder(const std::string& folder) {
  process::Fd directory(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) socketFailed("open " + folder);
  return directory;
}

sockaddr_un addressIn(const process::Fd& directory, const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory.get(), name);
  return address;
}

const sockaddr* plain(const sockaddr_un& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

}  // namespace

process::Fd listenIn(const std::string& folder, const char* name) {
  const process::Fd directory = openFolder(folder);
  const sockaddr_un address = addressIn(directory, name);
  process::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::unlinkat(directory.get(), name, 0);
  if (!listener || ::bind(listener.get(), plain(address), sizeof address) != 0 ||
      ::listen(listener.get(), kBacklog) != 0)
    socketFailed("listen as " + folder + "/" + name);
  return listener;
}

process::Fd connectTo(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const process::Fd directory = openFolder(path.substr(0, slash));
  const sockaddr_un address = addressIn(directory, path.c_str() + slash + 1);
  process::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), plain(address), sizeof address) != 0) socketFailed("connect to " + path);
  return socket;
}

}  // namespace ocelot::worker
