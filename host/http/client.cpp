#include "host/http/client.hpp"

#include <Poco/Net/DNS.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Timespan.h>
#include <fcntl.h>

#include <algorithm>
#include <mutex>

#include "host/http/channel.hpp"
#include "host/http/head.hpp"
#include "host/http/url.hpp"

namespace ocelot::http {
namespace {

[[noreturn]] void fail(Status status, const std::string& what, const std::string& why) {
  throw Error(status, what + ": " + why);
}

bool isUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::int64_t retryAfterMs(const std::string& text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 6 || !std::all_of(text.begin(), text.end(), digit)) return -1;
  return std::stoll(text) * 1000;
}

// One request on one connection.
class Conversation {
 public:
  Conversation(Call& call, const ClientSettings& settings, const Url& url, const HttpRequest& request)
      : call_(call), settings_(settings), url_(url), request_(request), what_(request.method + " " + url.shown()) {
    for (const auto& [name, value] : request.headers) {
      if (headerSafe(name) != name || headerSafe(value) != value || name.empty()) {
        fail(Status::invalid, what_, "a header of the request holds a control character");
      }
    }
  }

  void connect(const std::shared_ptr<TlsContext>& tls) {
    const Poco::Net::StreamSocket socket = url_.socket_path.empty() ? connectTcp() : connectUnix();
    ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
    channel_ = url_.tls ? clientChannel(socket, tls, url_.host) : plainChannel(socket);
  }

  void send(bool with_token, bool with_authorization) {
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

  AnswerHead readHead() {
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
  bool readBody(const AnswerHead& head, const std::function<bool(std::string_view)>& take) {
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

  const std::string& what() const { return what_; }

 private:
  Poco::Timespan patience() const {
    const int left = call_.remainingMs();
    const auto most = settings_.connect_timeout.count();
    const auto ms = left < 0 ? most : std::min<long long>(most, left);
    return Poco::Timespan(std::max<long long>(ms, 1) * Poco::Timespan::MILLISECONDS);
  }

  // A numeric host is its own address: Poco would ask for its name, and then for the addresses of that.
  std::vector<Poco::Net::IPAddress> addresses() const {
    Poco::Net::IPAddress numeric;
    if (Poco::Net::IPAddress::tryParse(url_.host, numeric)) return {numeric};
    return Poco::Net::DNS::hostByName(url_.host).addresses();
  }

  void ask(const Poco::Net::IPAddress& address) const {
    if (!settings_.may_connect) return;
    try {
      settings_.may_connect(url_.host, address.toString());
    } catch (const Error& refused) {
      fail(refused.status(), what_, refused.what());
    }
  }

  Poco::Net::StreamSocket connectTcp() {
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

  Poco::Net::StreamSocket connectUnix() {
    try {
      Poco::Net::StreamSocket socket;
      socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, url_.socket_path), patience());
      socket.setBlocking(false);
      return socket;
    } catch (const Poco::Exception& error) {
      fail(Status::unavailable, what_, error.displayText());
    }
  }

  std::string closedWhy(const std::string& otherwise) const {
    return channel_->reason().empty() ? otherwise : channel_->reason();
  }

  Clock::time_point silenceEnds() const { return std::min(Clock::now() + settings_.silence_timeout, call_.deadline()); }

  // false: the other side closed.
  bool read() {
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

  bool write(std::string_view bytes) {
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

  Call& call_;
  const ClientSettings& settings_;
  const Url url_;
  const HttpRequest& request_;
  const std::string what_;
  std::unique_ptr<Channel> channel_;
  std::string in_;
};

bool isRedirect(int status, const std::string& method) {
  return status == 307 || status == 308 || (method == "GET" && (status == 301 || status == 302 || status == 303));
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(ClientSettings settings)
      : settings_(std::move(settings)), base_(settings_.url.empty() ? Url() : parseUrl(settings_.url)) {}

  bool run(Call& call, const HttpRequest& request, const std::function<bool(const HttpAnswer&)>& head_of,
           const std::function<bool(std::string_view)>& bytes_of, bool whole) {
    Url url = settings_.url.empty() ? parseUrl(request.url) : resolve(base_, request.url);
    const Url first = url;
    for (int redirects = 0;; ++redirects) {
      call.check("sending " + request.method + " " + url.shown());
      Conversation conversation(call, settings_, url, request);
      conversation.connect(url.tls ? tls() : nullptr);
      // The token is for the base alone; an Authorization of the caller's for where the caller sent it.
      const bool stayed = url.sameOrigin(first);
      conversation.send(stayed && !settings_.url.empty() && url.sameOrigin(base_), stayed);
      const AnswerHead head = conversation.readHead();
      HttpAnswer answer;
      answer.status = head.status;
      answer.headers = head.headers;
      answer.retry_after_ms = retryAfterMs(headerOf(answer, "retry-after"));
      if (redirects < settings_.max_redirects && isRedirect(head.status, request.method)) {
        Url root = url;
        root.target = "/";
        const Url next = resolve(root, headerOf(answer, "location"));
        if (url.tls && !next.tls) fail(Status::invalid, conversation.what(), "redirects from https to " + next.shown());
        if (!next.socket_path.empty() && url.socket_path.empty()) {
          fail(Status::invalid, conversation.what(), "redirects to a socket of this machine");
        }
        url = next;
        continue;
      }
      const bool good = head.status >= 200 && head.status < 300;
      if (whole || !good) {
        conversation.readBody(head, [&](std::string_view part) {
          if (answer.body.size() + part.size() > request.max_answer_bytes) {
            fail(Status::invalid, conversation.what(),
                 "the answer is longer than " + std::to_string(request.max_answer_bytes) + " bytes");
          }
          answer.body += part;
          return true;
        });
        head_of(answer);
        return true;
      }
      return head_of(answer) && conversation.readBody(head, bytes_of);
    }
  }

  const ClientSettings settings_;

 private:
  // Reading the system's authorities takes longer than a request: only when needed.
  std::shared_ptr<TlsContext> tls() {
    const std::lock_guard lock(mutex_);
    if (!tls_) tls_ = clientTls(settings_.ca_file);
    return tls_;
  }

  const Url base_;
  std::mutex mutex_;
  std::shared_ptr<TlsContext> tls_;
};

Client::Client(ClientSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Client::~Client() = default;

HttpAnswer Client::send(Call& call, const HttpRequest& request) {
  HttpAnswer out;
  const auto keep = [&](const HttpAnswer& answer) {
    out = answer;
    return true;
  };
  impl_->run(call, request, keep, nullptr, true);
  return out;
}

bool Client::stream(Call& call, const HttpRequest& request, const std::function<bool(const HttpAnswer&)>& head,
                    const std::function<bool(std::string_view)>& bytes) {
  return impl_->run(call, request, head, bytes, false);
}

const ClientSettings& Client::settings() const { return impl_->settings_; }

std::string headerOf(const HttpAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (lowerCase(key) == lowerCase(name)) return value;
  }
  return "";
}

std::string encode(std::string_view text) {
  static const char* const kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (isUnreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace ocelot::http
