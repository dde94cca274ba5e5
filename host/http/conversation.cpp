#include "host/http/conversation.hpp"

#include <Poco/Net/DNS.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Timespan.h>
#include <fcntl.h>

#include <algorithm>

namespace ocelot::http {

void fail(Status status, const std::string& what, const std::string& why) { throw Error(status, what + ": " + why); }

Conversation::Conversation(Call& call, const ClientSettings& settings, const Url& url, const HttpRequest& request)
    : call_(call), settings_(settings), url_(url), request_(request), what_(request.method + " " + url.shown()) {
  for (const auto& [name, value] : request.headers) {
    if (headerSafe(name) != name || headerSafe(value) != value || name.empty()) {
      fail(Status::invalid, what_, "a header of the request holds a control character");
    }
  }
}

void Conversation::connect(const std::shared_ptr<TlsContext>& tls) {
  const Poco::Net::StreamSocket socket = url_.socket_path.empty() ? connectTcp() : connectUnix();
  ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
  channel_ = url_.tls ? clientChannel(socket, tls, url_.host) : plainChannel(socket);
}

void Conversation::send(bool with_token, bool with_authorization) {
  std::string head = request_.method + " " + url_.target + " HTTP/1.1\r\nHost: " + url_.authority() +
                     "\r\nConnection: close\r\nAccept-Encoding: identity\r\n";
  bool agent = false;
  for (const auto& [name, value] : request_.headers) {
    const std::string lower = lowerCase(name);
    if (lower == "authorization" && !with_authorization) continue;
    agent = agent || lower == "user-agent";
    head += name + ": " + value + "\r\n";
  }
  if (!agent) head += "User-Agent: " + headerSafe(settings_.user_agent) + "\r\n";
  if (with_token && !settings_.token.empty()) head += "Authorization: Bearer " + headerSafe(settings_.token) + "\r\n";
  if (!request_.body.empty() || (request_.method != "GET" && request_.method != "HEAD")) {
    head += "Content-Length: " + std::to_string(request_.body.size()) + "\r\n";
  }
  head += "\r\n";
  // A server may answer and close before it has read everything: then its answer says why.
  if (write(head)) write(request_.body);
}

AnswerHead Conversation::readHead() {
  try {
    for (;;) {
      const std::size_t end = headEnd(in_);
      if (end == 0) {
        if (!read())
          fail(Status::unavailable, what_, in_.empty() ? closedWhy("no answer came") : "the answer was cut off");
        continue;
      }
      AnswerHead head = parseAnswerHead(std::string_view(in_).substr(0, end), request_.method != "HEAD");
      in_.erase(0, end);
      if (head.status >= 200) return head;  // 100 Continue and its like come before
    }
  } catch (const BadMessage& bad) {
    fail(Status::unavailable, what_, bad.what);
  }
}

// Gives the body's parts to `take`; false when that said to stop.
bool Conversation::readBody(const AnswerHead& head, const std::function<bool(std::string_view)>& take) {
  ChunkDecoder decoder;
  std::string part;
  std::uint64_t got = 0;
  try {
    for (;;) {
      part.clear();
      if (head.chunked) {
        decoder.feed(in_, part, 1 << 20);
      } else {
        const std::uint64_t wanted = head.length ? static_cast<std::uint64_t>(*head.length) - got : in_.size();
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, in_.size()));
        part.assign(in_, 0, size);
        in_.erase(0, size);
      }
      got += part.size();
      if (!part.empty() && !take(part)) return false;
      if (head.chunked ? decoder.done() : head.length && got == static_cast<std::uint64_t>(*head.length)) return true;
      if (read()) continue;
      if (!head.chunked && !head.length) return true;  // the end is where the connection closes
      fail(Status::unavailable, what_, "the answer was cut off after " + std::to_string(got) + " bytes");
    }
  } catch (const BadMessage& bad) {
    fail(Status::unavailable, what_, bad.what);
  }
}

std::unique_ptr<Channel> Conversation::takeChannel(std::string& in) {
  in = std::move(in_);
  return std::move(channel_);
}

Poco::Timespan Conversation::patience() const {
  const int left = call_.remainingMs();
  const auto most = settings_.connect_timeout.count();
  const auto ms = left < 0 ? most : std::min<long long>(most, left);
  return Poco::Timespan(std::max<long long>(ms, 1) * Poco::Timespan::MILLISECONDS);
}

// A numeric host is its own address: Poco would ask for its name, and then for the addresses of that.
std::vector<Poco::Net::IPAddress> Conversation::addresses() const {
  Poco::Net::IPAddress numeric;
  if (Poco::Net::IPAddress::tryParse(url_.host, numeric)) return {numeric};
  return Poco::Net::DNS::hostByName(url_.host).addresses();
}

void Conversation::ask(const Poco::Net::IPAddress& address) const {
  if (!settings_.may_connect) return;
  try {
    settings_.may_connect(url_.host, address.toString());
  } catch (const Error& refused) {
    fail(refused.status(), what_, refused.what());
  }
}

Poco::Net::StreamSocket Conversation::connectTcp() {
  std::string why = "the name has no address";
  try {
    for (const auto& address : addresses()) {
      call_.check("connecting to " + url_.shown());
      ask(address);
      try {
        Poco::Net::StreamSocket socket;
        socket.connect(Poco::Net::SocketAddress(address, url_.port), patience());
        socket.setBlocking(false);
        socket.setNoDelay(true);
        return socket;
      } catch (const Poco::TimeoutException&) {
        why = "no connection within " + std::to_string(patience().totalMilliseconds()) + " ms";
      } catch (const Poco::Net::ConnectionRefusedException&) {
        why = "connection refused: nothing listens there";
      } catch (const Poco::Exception& error) {
        why = error.displayText();
      }
    }
  } catch (const Poco::Exception& error) {
    why = "the name cannot be looked up: " + error.displayText();
  }
  fail(Status::unavailable, what_, why);
}

Poco::Net::StreamSocket Conversation::connectUnix() {
  try {
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, url_.socket_path), patience());
    socket.setBlocking(false);
    return socket;
  } catch (const Poco::Exception& error) {
    fail(Status::unavailable, what_, error.displayText());
  }
}

std::string Conversation::closedWhy(const std::string& otherwise) const {
  return channel_->reason().empty() ? otherwise : channel_->reason();
}

Clock::time_point Conversation::silenceEnds() const {
  return std::min(Clock::now() + settings_.silence_timeout, call_.deadline());
}

// false: the other side closed.
bool Conversation::read() {
  switch (readSome(*channel_, in_, 16384, silenceEnds(), call_.cancelFd())) {
    case Ended::no:
      return true;
    case Ended::closed:
      if (!channel_->reason().empty()) fail(Status::unavailable, what_, channel_->reason());
      return false;
    default:
      break;
  }
  call_.check("waiting for the answer to " + what_);
  fail(Status::unavailable, what_, "not a byte for " + std::to_string(settings_.silence_timeout.count()) + " ms");
}

bool Conversation::write(std::string_view bytes) {
  switch (writeAll(*channel_, bytes, settings_.silence_timeout, call_.deadline(), call_.cancelFd())) {
    case Ended::no:
      return true;
    case Ended::closed:
      if (!channel_->reason().empty()) fail(Status::unavailable, what_, channel_->reason());
      return false;
    default:
      break;
  }
  call_.check("sending " + what_);
  fail(Status::unavailable, what_,
       "the request could not be sent within " + std::to_string(settings_.silence_timeout.count()) + " ms");
}

}  // namespace ocelot::http
