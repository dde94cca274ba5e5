#pragma once
// The bytes of one connection, plain or TLS, never blocking: who has to wait polls, with a deadline of its own. TLS
// runs over OpenSSL directly on contexts made by Poco, as Poco's own secure sockets can only block (1.11), which would
// leave a thread to everyone who sends a handshake by the byte.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace Poco::Net {
class StreamSocket;
}

namespace ocelot::http {

using Clock = std::chrono::steady_clock;

class TlsContext;
// PEM files; at least TLS 1.2. Throw ocelot::Error(invalid) naming the file.
std::shared_ptr<TlsContext> serverTls(const std::string& certificate, const std::string& key);
// ca_file "": the system's. Certificate and key: ours, for a server that asks who comes; "": none.
std::shared_ptr<TlsContext> clientTls(const std::string& ca_file, const std::string& certificate = "",
                                      const std::string& key = "");

// For one thread at a time.
class Channel {
 public:
  enum class Want { nothing, read, write, closed };
  struct Io {
    std::size_t bytes = 0;      // moved
    Want want = Want::nothing;  // with 0 bytes: what to wait for, or closed
  };

  virtual ~Channel() = default;
  virtual Io read(char* into, std::size_t size) = 0;
  virtual Io write(const char* from, std::size_t size) = 0;
  // Bytes that are decrypted already, so that no poll would tell of them.
  virtual bool hasPending() const { return false; }
  // No more from us; what the other side still sends can be read.
  virtual void finishWriting() = 0;
  // From [any] thread: whoever reads, writes or polls this connection finds it closed.
  void cut();
  int fd() const { return fd_; }
  // Why it closed, when TLS knows better than "closed": "certificate verify failed: self-signed certificate".
  const std::string& reason() const { return reason_; }

 protected:
  explicit Channel(int fd) : fd_(fd) {}
  int fd_;
  std::string reason_;
};

std::unique_ptr<Channel> plainChannel(const Poco::Net::StreamSocket& socket);
std::unique_ptr<Channel> serverChannel(const Poco::Net::StreamSocket& socket, const std::shared_ptr<TlsContext>& tls);
// The certificate must be for `host` (a name or an address), whatever the address resolves to.
std::unique_ptr<Channel> clientChannel(const Poco::Net::StreamSocket& socket, const std::shared_ptr<TlsContext>& tls,
                                       const std::string& host);

enum class Ended { no, timeout, closed, woken };

// Waits for the channel, or for `wake_fd` to be readable.
Ended waitFor(const Channel& channel, Channel::Want want, Clock::time_point until, int wake_fd = -1);
// Appends what came, at least a byte unless it ended.
Ended readSome(Channel& channel, std::string& into, std::size_t at_most, Clock::time_point until, int wake_fd = -1);
// Each wait for room lasts at most `silence`; the whole until `until`.
Ended writeAll(Channel& channel, std::string_view bytes, std::chrono::milliseconds silence,
               Clock::time_point until = Clock::time_point::max(), int wake_fd = -1);

}  // namespace ocelot::http
