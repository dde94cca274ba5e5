#include "host/http/channel.hpp"

#include <Poco/Net/Context.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/StreamSocket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "ocelot/call.hpp"

namespace ocelot::http {

class TlsContext {
 public:
  explicit TlsContext(Poco::Net::Context::Ptr made) : context(std::move(made)) {}
  Poco::Net::Context::Ptr context;
};

namespace {

using Poco::Net::Context;

std::shared_ptr<TlsContext> makeTls(Context::Usage usage, const Context::Params& params, const std::string& what) {
  try {
    Context::Ptr context = new Context(usage, params);
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    const bool server = usage == Context::TLS_SERVER_USE;
    if (server && SSL_CTX_check_private_key(context->sslContext()) != 1) {
      throw Poco::Net::SSLContextException("the key is not the certificate's");
    }
    SSL_CTX_set_mode(context->sslContext(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (server) SSL_CTX_set_options(context->sslContext(), SSL_OP_NO_RENEGOTIATION);
    return std::make_shared<TlsContext>(context);
  } catch (const Poco::Exception& error) {
    throw Error(Status::invalid, "tls: " + what + ": " + error.displayText());
  }
}

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(const Poco::Net::StreamSocket& socket) : Channel(socket.impl()->sockfd()), socket_(socket) {}
  Io read(char* into, std::size_t size) override { return outcome(::recv(fd_, into, size, MSG_DONTWAIT), Want::read); }
  Io write(const char* from, std::size_t size) override {
    return outcome(::send(fd_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL), Want::write);
  }
  void finishWriting() override { ::shutdown(fd_, SHUT_WR); }

 private:
  static Io outcome(ssize_t moved, Want wanted) {
    if (moved > 0) return {static_cast<std::size_t>(moved), Want::nothing};
    if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return {0, wanted};
    return {0, Want::closed};
  }
  Poco::Net::StreamSocket socket_;
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsChannel final : public Channel {
 public:
  TlsChannel(const Poco::Net::StreamSocket& socket, std::shared_ptr<TlsContext> tls)
      : Channel(socket.impl()->sockfd()),
        socket_(socket),
        tls_(std::move(tls)),
        ssl_(SSL_new(tls_->context->sslContext())) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd_) != 1) throw Error(Status::internal, "tls: out of memory");
  }
  void accept() {
    SSL_set_verify(ssl_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_set_accept_state(ssl_.get());
  }
  void connect(const std::string& host) {
    // Replaces Poco's callback, which lets every name pass that resolves to this machine.
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1) {
      X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      // The macro of OpenSSL's own, without its cast.
      SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
      if (X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) != 1) {
        throw Error(Status::invalid, "tls: not a host name: " + host);
      }
    }
    ERR_clear_error();  // an address that is none leaves an error behind
    SSL_set_connect_state(ssl_.get());
  }

  Io read(char* into, std::size_t size) override {
    ERR_clear_error();
    return outcome(SSL_read(ssl_.get(), into, static_cast<int>(std::min<std::size_t>(size, INT_MAX))));
  }
  Io write(const char* from, std::size_t size) override {
    ERR_clear_error();
    return outcome(SSL_write(ssl_.get(), from, static_cast<int>(std::min<std::size_t>(size, INT_MAX))));
  }
  bool hasPending() const override { return SSL_pending(ssl_.get()) > 0; }
  void finishWriting() override {
    if (!failed_ && SSL_is_init_finished(ssl_.get())) {
      ERR_clear_error();
      SSL_shutdown(ssl_.get());
    }
    ::shutdown(fd_, SHUT_WR);
  }

 private:
  Io outcome(int moved) {
    if (moved > 0) return {static_cast<std::size_t>(moved), Want::nothing};
    switch (SSL_get_error(ssl_.get(), moved)) {
      case SSL_ERROR_WANT_READ:
        return {0, Want::read};
      case SSL_ERROR_WANT_WRITE:
        return {0, Want::write};
      case SSL_ERROR_ZERO_RETURN:
        return {0, Want::closed};
      default:
        break;
    }
    failed_ = true;
    if (const unsigned long error = ERR_peek_last_error(); error != 0 && reason_.empty()) {
      const char* text = ERR_reason_error_string(error);
      reason_ = text ? text : "TLS error " + std::to_string(error);
      // OpenSSL takes the first bytes of what is no TLS for a version.
      if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER) reason_ = "what answers there speaks no TLS";
      const long verified = SSL_get_verify_result(ssl_.get());
      if (verified != X509_V_OK) reason_ += std::string(": ") + X509_verify_cert_error_string(verified);
    }
    return {0, Want::closed};
  }

  Poco::Net::StreamSocket socket_;
  std::shared_ptr<TlsContext> tls_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool failed_ = false;
};

int millisecondsUntil(Clock::time_point until) {
  if (until == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

}  // namespace

std::shared_ptr<TlsContext> serverTls(const std::string& certificate, const std::string& key) {
  Context::Params params;
  params.certificateFile = certificate;
  params.privateKeyFile = key;
  params.verificationMode = Context::VERIFY_NONE;
  return makeTls(Context::TLS_SERVER_USE, params, certificate + " with key " + key);
}

std::shared_ptr<TlsContext> clientTls(const std::string& ca_file, const std::string& certificate,
                                      const std::string& key) {
  Context::Params params;
  params.certificateFile = certificate;
  params.privateKeyFile = key;
  params.verificationMode = Context::VERIFY_STRICT;
  params.caLocation = ca_file;
  params.loadDefaultCAs = ca_file.empty();
  std::string what = ca_file.empty() ? "the system's authorities" : ca_file;
  if (!certificate.empty()) what += ", " + certificate + " with key " + key;
  return makeTls(Context::TLS_CLIENT_USE, params, what);
}

void Channel::cut() { ::shutdown(fd_, SHUT_RDWR); }

std::unique_ptr<Channel> plainChannel(const Poco::Net::StreamSocket& socket) {
  return std::make_unique<PlainChannel>(socket);
}

std::unique_ptr<Channel> serverChannel(const Poco::Net::StreamSocket& socket, const std::shared_ptr<TlsContext>& tls) {
  auto channel = std::make_unique<TlsChannel>(socket, tls);
  channel->accept();
  return channel;
}

std::unique_ptr<Channel> clientChannel(const Poco::Net::StreamSocket& socket, const std::shared_ptr<TlsContext>& tls,
                                       const std::string& host) {
  auto channel = std::make_unique<TlsChannel>(socket, tls);
  channel->connect(host);
  return channel;
}

Ended waitFor(const Channel& channel, Channel::Want want, Clock::time_point until, int wake_fd) {
  for (;;) {
    pollfd fds[2] = {{channel.fd(), static_cast<short>(want == Channel::Want::write ? POLLOUT : POLLIN), 0},
                     {wake_fd, POLLIN, 0}};
    const int ready = ::poll(fds, wake_fd >= 0 ? 2 : 1, millisecondsUntil(until));
    if (ready < 0 && errno != EINTR) return Ended::closed;
    if (ready > 0) return wake_fd >= 0 && fds[1].revents ? Ended::woken : Ended::no;
    if (ready == 0 && Clock::now() >= until) return Ended::timeout;
  }
}

Ended readSome(Channel& channel, std::string& into, std::size_t at_most, Clock::time_point until, int wake_fd) {
  char buffer[16384];
  for (;;) {
    const auto io = channel.read(buffer, std::min(at_most, sizeof buffer));
    if (io.bytes > 0) {
      into.append(buffer, io.bytes);
      return Ended::no;
    }
    if (io.want == Channel::Want::closed) return Ended::closed;
    if (const Ended ended = waitFor(channel, io.want, until, wake_fd); ended != Ended::no) return ended;
  }
}

Ended writeAll(Channel& channel, std::string_view bytes, std::chrono::milliseconds silence, Clock::time_point until,
               int wake_fd) {
  while (!bytes.empty()) {
    const auto io = channel.write(bytes.data(), bytes.size());
    bytes.remove_prefix(io.bytes);
    if (io.bytes > 0) continue;
    if (io.want == Channel::Want::closed) return Ended::closed;
    const auto now = Clock::now();
    const auto patience = until - now < silence ? until : now + silence;
    if (const Ended ended = waitFor(channel, io.want, patience, wake_fd); ended != Ended::no) return ended;
  }
  return Ended::no;
}

}  // namespace ocelot::http
