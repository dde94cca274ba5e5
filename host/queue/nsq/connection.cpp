#include "host/queue/nsq/connection.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Timespan.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "host/http/json.hpp"
#include "host/queue/queue.hpp"

namespace ocelot::queue::nsq {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnect{2000}, kAnswer{5000};
// A worker that dies or hangs keeps its wake-ups for so long; then they are another's. nsqd does not give them on when
// the connection breaks.
constexpr milliseconds kMessageTimeout{10000};

std::string hostName() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

// Gives the kernel the socket; the first address that takes us.
Poco::Net::StreamSocket connected(const NsqAddress& address, std::string& why) {
  why = "the name has no address";
  std::vector<Poco::Net::IPAddress> addresses;
  Poco::Net::IPAddress numeric;
  if (Poco::Net::IPAddress::tryParse(address.host, numeric))
    addresses.push_back(numeric);
  else
    addresses = Poco::Net::DNS::hostByName(address.host).addresses();
  for (const auto& one : addresses) {
    try {
      Poco::Net::StreamSocket socket;
      socket.connect(Poco::Net::SocketAddress(one, address.port),
                     Poco::Timespan(kConnect.count() * Poco::Timespan::MILLISECONDS));
      socket.setBlocking(false);
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
      why.clear();
      return socket;
    } catch (const Poco::TimeoutException&) {
      why = "no connection within " + std::to_string(kConnect.count()) + " ms";
    } catch (const Poco::Net::ConnectionRefusedException&) {
      why = "connection refused: nothing listens there";
    } catch (const Poco::Exception& error) {
      why = error.displayText();
    }
  }
  return {};
}

}  // namespace

Access::Access(NsqSettings from) : settings(std::move(from)) {
  if (settings.tls) tls = http::clientTls(settings.ca, settings.certificate, settings.key);
}

Connection::Connection(const Access& access, NsqAddress address, milliseconds heartbeat)
    : address_(std::move(address)) {
  open();
  send(kMagic);
  negotiate(access, heartbeat);
  if (auth_required_) authorize(access.settings.auth);
  doing_ = "talk";
}

Connection::~Connection() = default;

void Connection::fail(const std::string& why) const {
  throw Unavailable(doing_ + " at nsqd " + address_.text() + ": " + why);
}

void Connection::open() {
  std::string why;
  try {
    socket_ = std::make_unique<Poco::Net::StreamSocket>(connected(address_, why));
  } catch (const Poco::Exception& error) {
    why = "the name cannot be looked up: " + error.displayText();
  }
  if (!why.empty()) fail(why);
  channel_ = http::plainChannel(*socket_);
}

void Connection::negotiate(const Access& access, milliseconds heartbeat) {
  doing_ = "identify";
  http::JsonWriter json;
  json.object()
      .field("client_id", hostName())
      .field("hostname", hostName())
      .field("user_agent", "ocelot/" OCELOT_VERSION)
      .field("feature_negotiation", true)
      .field("heartbeat_interval", static_cast<std::int64_t>(heartbeat.count() > 0 ? heartbeat.count() : -1))
      .field("msg_timeout", static_cast<std::int64_t>(kMessageTimeout.count()))
      // A wake-up that waits for a buffer to fill is late.
      .field("output_buffer_size", -1)
      .field("output_buffer_timeout", -1)
      .field("tls_v1", access.tls != nullptr)
      .field("snappy", false)
      .field("deflate", false)
      .end();
  const std::string told = answer(identify(json.text()));
  bool tls = false;
  if (told != "OK") {  // a server too old for features answers so
    try {
      const auto features = Poco::JSON::Parser().parse(told).extract<Poco::JSON::Object::Ptr>();
      tls = features->optValue("tls_v1", false);
      auth_required_ = features->optValue("auth_required", false);
      max_ready_ = std::max(1, features->optValue("max_rdy_count", 1));
    } catch (const Poco::Exception& error) {
      fail("its answer is no JSON: " + shown(told));
    }
  }
  if (access.tls && !tls) fail("it offers no TLS; start it with -tls-cert and -tls-key, or set queue.tls to false");
  if (auth_required_ && access.settings.auth.empty()) fail("it asks for authorization; set queue.auth");
  if (!access.tls) return;
  doing_ = "start TLS";
  // Over the same socket; nothing of the plain time may be left over to be taken for what is protected.
  if (!in_.empty()) fail("it sent more before the handshake");
  channel_ = http::clientChannel(*socket_, access.tls, address_.host);
  if (answer("") != "OK") fail("the handshake was not confirmed");
}

void Connection::authorize(const std::string& secret) {
  doing_ = "authorize";
  answer(auth(secret));
}

void Connection::send(std::string_view bytes) {
  const auto ended = http::writeAll(*channel_, bytes, kAnswer);
  if (ended == http::Ended::timeout) fail("it takes no more bytes for " + std::to_string(kAnswer.count()) + " ms");
  if (ended != http::Ended::no) fail(channel_->reason().empty() ? "the connection was closed" : channel_->reason());
}

std::optional<Frame> Connection::read(Clock::time_point until, int wake_fd) {
  for (;;) {
    try {
      if (auto frame = takeFrame(in_)) {
        if (frame->type == FrameType::response && frame->data == kHeartbeat) send(nop());
        return frame;
      }
    } catch (const ProtocolError& error) {
      fail(error.what());
    }
    switch (http::readSome(*channel_, in_, 65536, until, wake_fd)) {
      case http::Ended::no:
        break;
      case http::Ended::timeout:
      case http::Ended::woken:
        return std::nullopt;
      case http::Ended::closed:
        fail(channel_->reason().empty() ? "the connection was closed" : channel_->reason());
    }
  }
}

std::string Connection::answer(const std::string& to) {
  if (!to.empty()) send(to);
  const auto until = Clock::now() + kAnswer;
  for (;;) {
    const auto frame = read(until);
    if (!frame) fail("no answer within " + std::to_string(kAnswer.count()) + " ms");
    if (frame->type == FrameType::error) fail(shown(frame->data));
    if (frame->type == FrameType::message) fail("it sent a message that nobody asked for");
    if (frame->data != kHeartbeat) return frame->data;
  }
}

}  // namespace ocelot::queue::nsq
