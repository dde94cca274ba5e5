#include "components/guest/broker.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>

#include "components/guest/answer.hpp"
#include "components/guest/clock.hpp"

namespace ocelot::guest {

namespace {

constexpr char kSocket[] = "broker/sock";  // from the control folder, which is the working directory
constexpr std::int64_t kAgainMillis = 50;
constexpr std::int64_t kAwayMillis = 30000;  // how long a broker may be away: as long as a worker may be silent
constexpr std::int64_t kThereMillis = 1000;  // one that hangs up sooner was not there

}  // namespace

BrokerCall::BrokerCall(std::uint32_t stage, std::string name)
    : name_(std::move(name)),
      request_("GET " + std::to_string(stage) + " " + name_ + "\n"),
      away_since_(bootMillis()) {}

std::int64_t BrokerCall::wakeAt() const { return socket_ ? kNever : try_at_; }

void BrokerCall::fail(const std::string& sentence) {
  socket_.reset();
  done_ = true;
  // A broker's sentence mostly names the secret itself.
  failure_ = sentence.find(name_) == std::string::npos ? "secret " + name_ + ": " + sentence : sentence;
}

void BrokerCall::again(const std::string& why) {
  socket_.reset();
  bytes_.clear();
  const std::int64_t now = bootMillis();
  if (connected_at_ != 0 && now - connected_at_ >= kThereMillis) away_since_ = now;
  connected_at_ = 0;
  if (now - away_since_ >= kAwayMillis) return fail("the worker's broker is away: " + why + "; rerun the build");
  try_at_ = now + kAgainMillis;
}

void BrokerCall::connect() {
  socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return again("socket: " + errorText(errno));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(std::begin(kSocket), std::end(kSocket), address.sun_path);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return again("connect: " + errorText(errno));
  connected_at_ = bootMillis();
  const ssize_t sent = ::send(socket_.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request_.size())) again("send: " + errorText(errno));
}

void BrokerCall::receive() {
  char buffer[8192];
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return again(got == 0 ? "it hung up" : "receive: " + errorText(errno));
    bytes_.append(buffer, static_cast<std::size_t>(got));
    std::string content;
    switch (parseAnswer(bytes_, content)) {
      case Answer::incomplete:
        break;
      case Answer::given:
        value_ = std::move(content);
        done_ = true;
        socket_.reset();
        return;
      case Answer::refused:
        return fail(content);
      case Answer::garbled:
        return fail("the worker's broker answered what cannot be understood");
    }
  }
}

void BrokerCall::step() {
  if (done_) return;
  const std::int64_t now = bootMillis();
  if (!socket_ && now >= try_at_) connect();
  if (!done_ && socket_) receive();
}

}  // namespace ocelot::guest
