#include "components/guest/secret_door.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>

#include "components/guest/answer.hpp"
#include "components/guest/clock.hpp"
#include "components/guest/processes.hpp"

namespace ocelot::guest {

namespace {

constexpr char kSocket[] = "guest.sock";
constexpr std::size_t kMaxVisitors = 16;
constexpr std::int64_t kVisitMillis = 60000;  // to ask, and to take the answer; for that one waits as long as the stage

sockaddr_un doorAddress() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(std::begin(kSocket), std::end(kSocket), address.sun_path);
  return address;
}

bool sendAll(int socket, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t done = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    sent += static_cast<std::size_t>(done);
  }
  return true;
}

bool writeAll(int fd, const std::string& bytes) {
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t done = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    written += static_cast<std::size_t>(done);
  }
  return true;
}

}  // namespace

std::string SecretDoor::open() {
  listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = doorAddress();
  ::unlink(kSocket);
  if (!listener_ || ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(kSocket, 0666) != 0 || ::listen(listener_.get(), kMaxVisitors) != 0) {
    const int error = errno;
    listener_.reset();
    return std::string("secrets on demand: listen on ") + kSocket + ": " + errorText(error);
  }
  return "";
}

void SecretDoor::serve(const std::optional<Tenant>& tenant) {
  tenant_ = tenant;
  if (!tenant_) visitors_.clear();
}

void SecretDoor::addTo(std::vector<pollfd>& waits) const {
  if (listener_ && visitors_.size() < kMaxVisitors) waits.push_back({listener_.get(), POLLIN, 0});
  for (const auto& visitor : visitors_) {
    const bool asking = visitor.call && !visitor.answered;  // then only its hanging up is of interest
    waits.push_back({visitor.socket.get(), static_cast<short>(asking ? 0 : visitor.answered ? POLLOUT : POLLIN), 0});
    if (asking && visitor.call->fd() >= 0) waits.push_back({visitor.call->fd(), POLLIN, 0});
  }
}

std::int64_t SecretDoor::wakeAt() const {
  std::int64_t at = kNever;
  for (const auto& visitor : visitors_) {
    at = std::min(at, visitor.until);
    if (visitor.call && !visitor.answered) at = std::min(at, visitor.call->wakeAt());
  }
  return at;
}

void SecretDoor::accept() {
  while (listener_ && visitors_.size() < kMaxVisitors) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) continue;
    Visitor visitor;
    visitor.socket = std::move(socket);
    visitor.pid = peer.pid;  // 0 for somebody outside of the guest's process namespace
    visitor.until = bootMillis() + kVisitMillis;
    visitors_.push_back(std::move(visitor));
  }
}

void SecretDoor::answer(Visitor& visitor, const std::string& failure, const std::string& value) {
  visitor.answer = failure.empty() ? "OK " + std::to_string(value.size()) + "\n" + value : "ERR " + failure + "\n";
  visitor.answered = true;
}

void SecretDoor::listenTo(Visitor& visitor) {
  char buffer[512];
  const ssize_t got = ::recv(visitor.socket.get(), buffer, sizeof buffer, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return answer(visitor, "the question was cut short", "");
  visitor.asked.append(buffer, static_cast<std::size_t>(got));
  const auto end = visitor.asked.find('\n');
  if (end == visitor.asked.npos) {
    if (visitor.asked.size() > 512) answer(visitor, "the question is too long", "");
    return;
  }
  const std::string line = visitor.asked.substr(0, end);
  const std::string name = line.substr(0, 4) == "GET " ? line.substr(4) : "";
  if (!isSecretName(name)) return answer(visitor, "not the name of a secret", "");
  const auto& secrets = *tenant_->secrets;
  if (!descendsFrom(visitor.pid, tenant_->leader))
    return answer(visitor, "secret " + name + ": only processes started by the running stage may ask", "");
  if (std::find(secrets.begin(), secrets.end(), name) == secrets.end())
    return answer(visitor, "secret " + name + ": this stage does not list it; add it to the stage's `secrets`", "");
  visitor.call.emplace(tenant_->stage, name);
  visitor.until = kNever;
}

bool SecretDoor::attend(Visitor& visitor) {
  if (bootMillis() >= visitor.until) return false;
  if (!visitor.call && !visitor.answered) listenTo(visitor);
  if (visitor.call && !visitor.answered) {
    visitor.call->step();
    if (visitor.call->done()) {
      answer(visitor, visitor.call->failure(), visitor.call->value());
      visitor.until = bootMillis() + kVisitMillis;
    } else if (char byte; ::recv(visitor.socket.get(), &byte, 1, MSG_PEEK) == 0) {
      return false;  // whoever asked is gone
    }
  }
  if (!visitor.answered) return true;
  const ssize_t sent = ::send(visitor.socket.get(), visitor.answer.data(), visitor.answer.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  visitor.answer.erase(0, static_cast<std::size_t>(sent));
  return !visitor.answer.empty();
}

void SecretDoor::step() {
  if (!tenant_) return;
  accept();
  visitors_.remove_if([this](Visitor& visitor) { return !attend(visitor); });
}

int secretGet(const std::string& control, const std::string& name) {
  const auto fail = [](const std::string& sentence) {
    writeAll(STDERR_FILENO, "ocelot-guest: " + sentence + "\n");
    return 1;
  };
  if (!isSecretName(name)) return fail("\"" + name + "\" is not the name of a secret");
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = doorAddress();
  if (::chdir(control.c_str()) != 0 || !socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail("secret " + name + ": connect " + control + "/" + kSocket + ": " + errorText(errno) +
                "; secrets are there for a stage that lists them");
  std::string bytes, content;
  if (!sendAll(socket.get(), "GET " + name + "\n")) return fail("secret " + name + ": send: " + errorText(errno));
  for (;;) {
    char buffer[8192];
    const ssize_t got = ::recv(socket.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail("secret " + name + ": the guest hung up");
    bytes.append(buffer, static_cast<std::size_t>(got));
    switch (parseAnswer(bytes, content)) {
      case Answer::incomplete:
        break;
      case Answer::given:
        return writeAll(STDOUT_FILENO, content) ? 0 : fail("secret " + name + ": write: " + errorText(errno));
      case Answer::refused:
        return fail(content);
      case Answer::garbled:
        return fail("secret " + name + ": the guest's answer cannot be understood");
    }
  }
}

}  // namespace ocelot::guest
