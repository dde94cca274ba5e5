#include "host/http/server.hpp"

#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "host/http/channel.hpp"
#include "host/http/crew.hpp"
#include "host/http/exchange.hpp"

namespace ocelot::http {
namespace {

const std::uint64_t kListener = 0, kWake = 1, kFirstConnection = 2;
const auto kLinger = std::chrono::seconds(2);
const std::size_t kMostSwallowed = 4 << 20;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {
    if (fd < 0) throw Error(Status::internal, std::string("http: no descriptor: ") + std::strerror(errno));
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return fd_; }
  void signal() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);  // full: it is signalled already
  }

 private:
  int fd_;
};

std::string unixPath(const std::string& listen) { return listen.compare(0, 5, "unix:") == 0 ? listen.substr(5) : ""; }

Poco::Net::ServerSocket openListener(const std::string& listen) {
  using Poco::Net::SocketAddress;
  try {
    Poco::Net::ServerSocket socket;
    const std::string path = unixPath(listen);
    if (path.empty()) {
      // Not "reuse port" as Poco does by default: a second daemon must not share the first one's port unnoticed.
      socket.bind(SocketAddress(listen), true, false);
    } else {
      const SocketAddress address(SocketAddress::UNIX_LOCAL, path);
      try {
        Poco::Net::StreamSocket probe(address);
        throw Error(Status::unavailable, "http: listen on " + listen + ": another process answers there");
      } catch (const Poco::Exception&) {
        ::unlink(path.c_str());  // left by a process that is gone
      }
      socket.bind(address, false, false);
      ::chmod(path.c_str(), 0600);
    }
    socket.listen(1024);
    socket.setBlocking(false);
    ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
    return socket;
  } catch (const Poco::Exception& error) {
    throw Error(Status::unavailable, "http: listen on " + listen + ": " + error.displayText());
  }
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerSettings settings, Routes routes, Authenticator authenticator, ServerHooks hooks)
      : settings_(std::move(settings)),
        routes_(std::move(routes)),
        listener_(openListener(settings_.listen)),
        tls_(settings_.tls_certificate.empty() ? nullptr : serverTls(settings_.tls_certificate, settings_.tls_key)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        drain_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        exchange_(settings_, routes_, std::move(authenticator), std::move(hooks), draining_, drain_),
        requests_(std::make_unique<Crew>(static_cast<std::size_t>(settings_.threads))),
        streams_(std::make_unique<Crew>(static_cast<std::size_t>(settings_.max_streams))) {
    port_ = unixPath(settings_.listen).empty() ? listener_.address().port() : 0;
    watch(EPOLL_CTL_ADD, listener_.impl()->sockfd(), EPOLLIN, kListener);
    watch(EPOLL_CTL_ADD, wake_, EPOLLIN, kWake);
    loop_ = std::thread([this] { loop(); });
  }
  ~Impl() { drain(std::chrono::milliseconds(0)); }

  std::uint16_t port() const { return port_; }
  std::string address() const {
    if (port_ == 0) return settings_.listen;
    return settings_.listen.substr(0, settings_.listen.rfind(':') + 1) + std::to_string(port_);
  }
  std::string url() const { return port_ == 0 ? address() : (tls_ ? "https://" : "http://") + address(); }

  void drain(std::chrono::milliseconds grace) {
    const std::lock_guard one(drain_mutex_);
    if (!loop_.joinable()) return;
    draining_ = true;
    drain_.signal();
    wake_.signal();
    {
      std::unique_lock lock(mutex_);
      gone_.wait_for(lock, grace, [this] { return connections_.empty(); });
      for (auto& [id, connection] : connections_) connection->channel->cut();
    }
    stopping_ = true;
    wake_.signal();
    loop_.join();
    requests_.reset();
    streams_.reset();
    const std::lock_guard lock(mutex_);
    connections_.clear();
    per_peer_.clear();
  }

  Load load() const {
    const std::lock_guard lock(mutex_);
    Load load;
    load.connections = static_cast<int>(connections_.size());
    for (const auto& [id, connection] : connections_) {
      load.busy += connection->state == Connection::State::busy;
      load.streams += connection->state == Connection::State::streaming;
    }
    load.requests = exchange_.requests();
    load.refused_connections = refused_;
    load.timeouts = timeouts_;
    return load;
  }

 private:
  using Holder = std::shared_ptr<Connection>;
  using State = Connection::State;

  void watch(int operation, int fd, std::uint32_t events, std::uint64_t id) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  void loop() {
    epoll_event events[64];
    bool accepting = true;
    while (!stopping_) {
      const int count = ::epoll_wait(epoll_, events, 64, anyWaits() || !accepting ? 100 : -1);
      for (int i = 0; i < count; ++i) {
        const std::uint64_t id = events[i].data.u64;
        if (id == kWake) {
          std::uint64_t ignored = 0;
          [[maybe_unused]] const auto got = ::read(wake_, &ignored, sizeof ignored);
          if (draining_) stopListening();
        } else if (id == kListener) {
          accepting = accept();
          // Out of descriptors: the listener would stay readable and the loop spin; look again at the next tick.
          if (!accepting) watch(EPOLL_CTL_MOD, listener_.impl()->sockfd(), 0, kListener);
        } else {
          advance(id);
        }
      }
      expire();
      if (!accepting && !draining_ && count == 0) {
        accepting = true;
        watch(EPOLL_CTL_MOD, listener_.impl()->sockfd(), EPOLLIN, kListener);
      }
    }
    stopListening();
  }

  // A busy one may be parked at any moment, without waking the loop.
  bool anyWaits() const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, connection] : connections_) {
      if (connection->state != State::streaming) return true;
    }
    return false;
  }

  void stopListening() {
    if (!listening_) return;
    listening_ = false;
    watch(EPOLL_CTL_DEL, listener_.impl()->sockfd(), 0, kListener);
    listener_.close();
    if (const std::string path = unixPath(settings_.listen); !path.empty()) ::unlink(path.c_str());
    std::vector<Holder> idle;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, connection] : connections_) {
        const bool waits = connection->state == State::parked;
        if (waits && connection->in.empty() && !connection->pending) idle.push_back(connection);
      }
    }
    for (const Holder& connection : idle) remove(connection);
  }

  // One at a time: the listener stays readable while more wait. false: none can be taken now, though one waits.
  bool accept() {
    Poco::Net::StreamSocket socket;
    try {
      socket = listener_.acceptConnection();
    } catch (const Poco::Exception& error) {
      if (error.code() == EAGAIN || error.code() == ECONNABORTED) return true;
      if (accept_fault_told_ + std::chrono::seconds(10) < Clock::now()) {
        accept_fault_told_ = Clock::now();
        exchange_.log(LogLevel::warning, "accept on " + settings_.listen + ": " + error.displayText());
      }
      return false;
    }
    try {
      take(socket);
    } catch (const std::exception&) {
      // It was gone before it was looked at.
    }
    return true;
  }

  void take(Poco::Net::StreamSocket socket) {
    ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
    socket.setBlocking(false);
    auto connection = std::make_shared<Connection>();
    const bool local = port_ == 0;
    connection->peer = local ? "unix" : socket.peerAddress().host().toString();
    if (!local) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
    }
    connection->tls = tls_ != nullptr;
    connection->channel = tls_ ? serverChannel(socket, tls_) : plainChannel(socket);
    // Everybody may come from this machine's own address, through a proxy.
    const bool counted = settings_.limit_loopback || !isLoopback(connection->peer);
    {
      const std::lock_guard lock(mutex_);
      int& of_peer = per_peer_[connection->peer];
      if ((counted && of_peer >= settings_.max_connections_per_peer) || (full() && !evictIdle())) {
        if (of_peer == 0) per_peer_.erase(connection->peer);
        ++refused_;
        return;  // the socket closes
      }
      ++per_peer_[connection->peer];
      connection->id = next_id_++;
      connection->deadline = Clock::now() + settings_.head_timeout;
      connections_.emplace(connection->id, connection);
    }
    watch(EPOLL_CTL_ADD, connection->channel->fd(), EPOLLIN | EPOLLONESHOT, connection->id);
  }

  bool full() const { return connections_.size() >= static_cast<std::size_t>(settings_.max_connections); }

  // Makes room by closing the waiting connection that would be the next to be closed anyway. Under mutex_.
  bool evictIdle() {
    Holder oldest;
    for (const auto& [id, connection] : connections_) {
      if (connection->state != State::parked) continue;
      if (!oldest || connection->deadline < oldest->deadline) oldest = connection;
    }
    if (!oldest) return false;
    forget(oldest);
    return true;
  }

  // The loop's part of a connection: read until there is something to serve.
  void advance(std::uint64_t id) {
    Holder connection;
    bool lingering = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = connections_.find(id);
      if (found == connections_.end()) return;
      connection = found->second;
      lingering = connection->state == State::lingering;
      if (!lingering && connection->state != State::parked) return;
    }
    char buffer[16384];
    for (;;) {
      const auto io = connection->channel->read(buffer, sizeof buffer);
      if (io.want == Channel::Want::closed) return remove(connection);
      if (io.bytes == 0) return arm(connection, io.want);
      if (lingering) {
        connection->swallowed += io.bytes;
        if (connection->swallowed > kMostSwallowed) return remove(connection);
        continue;
      }
      const bool first = connection->in.empty() && !connection->pending;
      connection->in.append(buffer, io.bytes);
      if (exchange_.ready(*connection)) return dispatch(connection);
      // The first byte starts the clock of a head, and none after it moves it; a body earns time by coming.
      if ((first && connection->served > 0) || connection->pending) setDeadline(connection);
    }
  }

  void arm(const Holder& connection, Channel::Want want) {
    watch(EPOLL_CTL_MOD, connection->channel->fd(), (want == Channel::Want::write ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT,
          connection->id);
  }

  void setDeadline(const Holder& connection) {
    const auto until = exchange_.patience(*connection);
    const std::lock_guard lock(mutex_);
    connection->deadline = until;
  }

  void setState(const Holder& connection, State state, Clock::time_point until = {}) {
    const std::lock_guard lock(mutex_);
    connection->state = state;
    connection->deadline = until;
  }

  void dispatch(const Holder& connection) {
    setState(connection, State::busy);
    requests_->run([this, connection] { work(connection); });
  }

  // On a thread of the requests' crew.
  void work(const Holder& connection) {
    for (;;) {
      const auto done = exchange_.serve(*connection);
      switch (done.next) {
        case Exchange::Next::close:
          return remove(connection);
        case Exchange::Next::linger:
          return linger(connection);
        case Exchange::Next::stream:
          return stream(connection, done.stream);
        case Exchange::Next::keep:
        case Exchange::Next::more:
          break;
      }
      // What came in the meantime is served by the same thread; else the loop waits.
      while (!exchange_.ready(*connection)) {
        char buffer[16384];
        const auto io = connection->channel->read(buffer, sizeof buffer);
        if (io.want == Channel::Want::closed) return remove(connection);
        if (io.bytes == 0) return park(connection, io.want);
        connection->in.append(buffer, io.bytes);
      }
    }
  }

  void park(const Holder& connection, Channel::Want want) {
    if (connection->in.empty() && !connection->pending && draining_) return remove(connection);
    setState(connection, State::parked, exchange_.patience(*connection));
    arm(connection, want);
  }

  // Closing at once would reset the connection while bytes of the client are unread, and the answer could be lost.
  void linger(const Holder& connection) {
    connection->channel->finishWriting();
    setState(connection, State::lingering, Clock::now() + kLinger);
    arm(connection, Channel::Want::read);
    wake_.signal();  // the loop may be waiting without a deadline
  }

  void stream(const Holder& connection, const std::shared_ptr<StreamJob>& job) {
    setState(connection, State::streaming);
    const bool taken = streams_->tryRun([this, connection, job] {
      exchange_.runStream(*connection, *job) == Exchange::Next::linger ? linger(connection) : remove(connection);
    });
    if (taken) return;
    exchange_.refuseStream(*connection, *job);
    linger(connection);
  }

  void remove(const Holder& connection) {
    const std::lock_guard lock(mutex_);
    forget(connection);
  }

  // Under mutex_. The socket closes with the last holder.
  void forget(const Holder& connection) {
    if (connections_.erase(connection->id) == 0) return;
    const auto of_peer = per_peer_.find(connection->peer);
    if (of_peer != per_peer_.end() && --of_peer->second == 0) per_peer_.erase(of_peer);
    if (connections_.empty()) gone_.notify_all();
  }

  static bool halfSent(const Connection& connection) {
    return connection.state == State::parked && (!connection.in.empty() || connection.pending);
  }

  void expire() {
    std::vector<Holder> late;
    {
      const std::lock_guard lock(mutex_);
      const auto now = Clock::now();
      for (const auto& [id, connection] : connections_) {
        const bool waits = connection->state == State::parked || connection->state == State::lingering;
        if (waits && connection->deadline <= now) late.push_back(connection);
      }
      for (const Holder& connection : late) timeouts_ += halfSent(*connection);
    }
    for (const Holder& connection : late) {
      if (halfSent(*connection)) {
        static const std::string kLate =
            "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        connection->channel->write(kLate.data(), kLate.size());  // if there is no room, then not
      }
      remove(connection);
    }
  }

  const ServerSettings settings_;
  const Routes routes_;
  Poco::Net::ServerSocket listener_;
  const std::shared_ptr<TlsContext> tls_;
  const Descriptor epoll_, wake_, drain_;
  std::atomic<bool> draining_{false}, stopping_{false};
  Exchange exchange_;
  std::uint16_t port_ = 0;
  bool listening_ = true;  // the loop's own, as the next
  Clock::time_point accept_fault_told_{};

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable gone_;
  std::unordered_map<std::uint64_t, Holder> connections_;
  std::map<std::string, int> per_peer_;
  std::uint64_t next_id_ = kFirstConnection;
  std::uint64_t refused_ = 0, timeouts_ = 0;

  std::mutex drain_mutex_;  // one drain() at a time
  std::unique_ptr<Crew> requests_, streams_;
  std::thread loop_;
};

Server::Server(ServerSettings settings, Routes routes, Authenticator authenticator, ServerHooks hooks)
    : impl_(
          std::make_unique<Impl>(std::move(settings), std::move(routes), std::move(authenticator), std::move(hooks))) {}
Server::~Server() = default;

std::uint16_t Server::port() const { return impl_->port(); }
std::string Server::address() const { return impl_->address(); }
std::string Server::url() const { return impl_->url(); }
void Server::drain(std::chrono::milliseconds grace) { impl_->drain(grace); }
Server::Load Server::load() const { return impl_->load(); }

}  // namespace ocelot::http
