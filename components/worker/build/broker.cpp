#include "components/worker/build/broker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <system_error>

namespace ocelot::worker {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

// A unix socket's address holds 107 bytes of path; a build's folder may be deeper, so the folder is named by
// descriptor.
int listenIn(const std::string& folder) {
  const int directory = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) fail("open " + folder);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/sock", directory);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::unlinkat(directory, "sock", 0);
  const int bound =
      listener < 0 ? -1
                   : ::bind(listener, static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address);
  ::close(directory);
  if (bound != 0 || ::listen(listener, 16) != 0) fail("listen for the guest in " + folder);
  return listener;
}

void sendAll(int fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (put <= 0) return;  // the guest hung up: it will ask again
    done += static_cast<std::size_t>(put);
  }
}

}  // namespace

Broker::Broker(const std::string& control_folder, std::map<std::string, std::string> secrets,
               std::vector<std::set<std::string>> allowed)
    : secrets_(std::move(secrets)), allowed_(std::move(allowed)) {
  const std::string folder = control_folder + "/broker";
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) fail("make folder " + folder);
  listener_ = listenIn(folder);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { serve(); });
}

Broker::~Broker() {
  const std::uint64_t one = 1;
  if (::write(stop_, &one, sizeof one) < 0) std::terminate();
  thread_.join();
  ::close(listener_);
  ::close(stop_);
}

void Broker::serve() {
  while (true) {
    std::array<pollfd, 2> fds{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if (fds[1].revents) return;
    if (!fds[0].revents) continue;
    const int guest = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (guest < 0) continue;
    const timeval patience{5, 0};  // a container that asks nothing must not hold the broker
    ::setsockopt(guest, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(guest, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    std::string question;
    std::array<char, 512> buffer;
    while (question.find('\n') == std::string::npos && question.size() < buffer.size()) {
      const ssize_t got = ::recv(guest, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      question.append(buffer.data(), static_cast<std::size_t>(got));
    }
    sendAll(guest, answer(question));
    ::close(guest);
  }
}

std::string Broker::answer(const std::string& question) const {
  std::istringstream words(question.substr(0, question.find('\n')));
  std::string verb, name;
  std::size_t stage = 0;
  words >> verb >> stage >> name;
  if (!words || verb != "GET" || stage >= allowed_.size()) return "ERR not a question that this broker understands\n";
  if (allowed_[stage].count(name) == 0)
    return "ERR secret " + name.substr(0, 100) + " is not among this stage's secrets in ocelot.yml\n";
  const auto found = secrets_.find(name);
  if (found == secrets_.end())
    return "ERR secret " + name + " is not in the secret store for this repository; add it with `ocelot secret set`\n";
  return "OK " + std::to_string(found->second.size()) + "\n" + found->second;
}

}  // namespace ocelot::worker
