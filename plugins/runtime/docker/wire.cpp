#include "wire.hpp"

#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ocelot::docker {
namespace {

using std::chrono::milliseconds;

// Poco's socket, with our waiting under every read and write.
class PatientSocket final : public Poco::Net::StreamSocketImpl {
 public:
  PatientSocket(int fd, std::shared_ptr<WireState> state) : StreamSocketImpl(fd), state_(std::move(state)) {}
  using StreamSocketImpl::receiveBytes;
  using StreamSocketImpl::sendBytes;

  int receiveBytes(void* buffer, int length, int flags) override {
    for (;;) {
      if (!state_->await(sockfd(), POLLIN)) throw Poco::TimeoutException("engine");
      const ssize_t n = ::recv(sockfd(), buffer, static_cast<std::size_t>(length), flags | MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n < 0) fail(errno);
      if (n == 0) state_->broken = Broken::closed;
      state_->moved = Call::Clock::now();
      return static_cast<int>(n);
    }
  }

  int sendBytes(const void* buffer, int length, int flags) override {
    int sent = 0;
    // After the engine hung up the rest goes nowhere, without an error: Poco would keep that one for the reading, too,
    // and the engine's answer may say why it wanted no more.
    while (sent < length && !state_->hungUp) {
      if (!state_->await(sockfd(), POLLOUT)) throw Poco::TimeoutException("engine");
      const ssize_t n = ::send(sockfd(), static_cast<const char*>(buffer) + sent,
                               static_cast<std::size_t>(length - sent), flags | MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
        state_->hungUp = true;
        break;
      }
      if (n < 0) fail(errno);
      sent += static_cast<int>(n);
      state_->moved = Call::Clock::now();
    }
    return length;
  }

 private:
  [[noreturn]] void fail(int error) {
    state_->broken = error == EPIPE || error == ECONNRESET ? Broken::closed : Broken::failed;
    state_->error = error;
    throw Poco::IOException("engine");
  }

  std::shared_ptr<WireState> state_;
};

// A full backlog refuses a non-blocking connect with EAGAIN and cannot be polled for: ask again until patience ends.
int connectTo(const std::string& path, WireState& state) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    state.broken = Broken::failed;
    state.error = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = fd < 0 ? errno : 0;
  while (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    error = errno;
    if (error == EINTR) continue;
    if (error != EAGAIN || !state.await(-1, 0, milliseconds(20))) break;
    error = 0;
  }
  if (error == 0) return fd;
  if (fd >= 0) ::close(fd);
  if (state.broken == Broken::no) {
    state.error = error;
    state.broken = error == ENOENT         ? Broken::missing
                   : error == ECONNREFUSED ? Broken::refused
                   : error == EACCES       ? Broken::forbidden
                                           : Broken::failed;
  }
  return -1;
}

}  // namespace

bool WireState::await(int fd, short events, milliseconds atMost) {
  const auto until = Call::Clock::now() + atMost;
  for (;;) {
    const auto now = Call::Clock::now();
    if (broken != Broken::no) return false;
    if (call->cancelled()) return broken = Broken::cancelled, false;
    if (now >= call->deadline()) return broken = Broken::deadline, false;
    if (patience.total.count() > 0 && now >= begin + patience.total) return broken = Broken::limit, false;
    if (patience.idle.count() > 0 && now >= moved + patience.idle) return broken = Broken::idle, false;
    if (now >= until) return true;
    auto next = until;
    next = std::min(next, call->deadline());
    if (patience.total.count() > 0) next = std::min(next, begin + patience.total);
    if (patience.idle.count() > 0) next = std::min(next, moved + patience.idle);
    // Without a descriptor the cancellation is a flag, which nobody wakes us for.
    if (call->cancelFd() < 0) next = std::min(next, now + milliseconds(200));
    const auto left = std::chrono::ceil<milliseconds>(next - now).count();
    pollfd wanted[2] = {{fd, events, 0}, {call->cancelFd(), POLLIN, 0}};
    const int ready = ::poll(wanted, 2, static_cast<int>(std::min<std::int64_t>(left, 60000)));
    if (ready < 0 && errno != EINTR) return broken = Broken::failed, error = errno, false;
    if (ready > 0 && wanted[1].revents != 0) return broken = Broken::cancelled, false;
    if (ready > 0 && wanted[0].revents != 0) return true;
  }
}

// The host name is never used: connect() is ours. The empty ProxyConfig keeps a process-wide proxy out.
Session::Session(std::string path, const Call& call, Patience patience)
    : HTTPClientSession("127.0.0.1", 80, ProxyConfig()), path_(std::move(path)), state_(std::make_shared<WireState>()) {
  state_->call = &call;
  state_->patience = patience;
  state_->begin = state_->moved = Call::Clock::now();
}

bool Session::open() {
  const int fd = connectTo(path_, *state_);
  if (fd < 0) return false;
  attachSocket(Poco::Net::StreamSocket(new PatientSocket(fd, state_)));
  return true;
}

void Session::connect(const Poco::Net::SocketAddress&) {
  if (!open()) throw Poco::Net::NetException("engine");
}

}  // namespace ocelot::docker
