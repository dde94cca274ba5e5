// Streamed answers: chunks, heartbeats, and noticing that nobody listens any more.

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "host/http/exchange.hpp"

namespace ocelot::http {

class ChunkedWriter final : public StreamWriter {
 public:
  ChunkedWriter(Exchange& exchange, Connection& connection, const StreamJob& job)
      : exchange_(exchange),
        settings_(exchange.settings_),
        connection_(connection),
        job_(job),
        wrote_at_(Clock::now()),
        checked_at_(wrote_at_) {}

  bool write(std::string_view bytes) override {
    if (gone_ || !recheck()) return false;
    if (!bytes.empty()) sendChunk(bytes);
    return !gone_ && !draining();
  }

  bool wait(std::chrono::milliseconds at_most, int fd) override {
    const auto until = Clock::now() + at_most;
    while (!gone_ && !draining()) {
      const auto now = Clock::now();
      if (now - wrote_at_ >= settings_.heartbeat) {
        wrote_at_ = now;
        if (!job_.answer.heartbeat.empty()) sendChunk(job_.answer.heartbeat);
      }
      if (gone_ || !recheck()) return false;
      const auto wake = std::min({until, wrote_at_ + settings_.heartbeat, checked_at_ + settings_.recheck});
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - now).count();
      pollfd fds[3] = {{connection_.channel->fd(), POLLIN, 0}, {exchange_.drain_fd_, POLLIN, 0}, {fd, POLLIN, 0}};
      const int ready = ::poll(fds, fd >= 0 ? 3 : 2, static_cast<int>(std::clamp<long long>(left, 0, 60000)));
      if (ready < 0 && errno != EINTR) gone_ = true;
      if (ready > 0 && fds[0].revents) listen();
      if (ready > 0 && fd >= 0 && fds[2].revents) return !gone_ && !draining();
      if (Clock::now() >= until) return !gone_ && !draining();
    }
    return false;
  }

  bool draining() const override { return exchange_.draining_; }
  bool gone() const { return gone_; }

  void finish() {
    if (!gone_ && job_.version_11) send("0\r\n\r\n");
  }

 private:
  void sendChunk(std::string_view bytes) {
    wrote_at_ = Clock::now();
    if (!job_.version_11) return send(bytes);
    char size[24];
    const int length = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    frame_.assign(size, static_cast<std::size_t>(length));
    frame_.append(bytes).append("\r\n");
    send(frame_);
  }
  void send(std::string_view bytes) {
    // Half a chunk cannot be taken back: whatever stops it ends the stream.
    if (writeAll(*connection_.channel, bytes, settings_.stream_timeout, Clock::time_point::max(),
                 exchange_.drain_fd_) != Ended::no) {
      gone_ = true;
    }
  }
  // Nothing is expected of the reader, except that it leaves.
  void listen() {
    char buffer[1024];
    for (;;) {
      const auto io = connection_.channel->read(buffer, sizeof buffer);
      heard_ += io.bytes;
      if (io.want == Channel::Want::closed || heard_ > 65536) gone_ = true;
      if (gone_ || io.bytes == 0) return;
    }
  }
  bool recheck() {
    const auto now = Clock::now();
    if (now - checked_at_ < settings_.recheck) return true;
    checked_at_ = now;
    if (!exchange_.stillAllowed(job_)) gone_ = true;
    return !gone_;
  }

  Exchange& exchange_;
  const ServerSettings& settings_;
  Connection& connection_;
  const StreamJob& job_;
  Clock::time_point wrote_at_, checked_at_;
  std::string frame_;
  std::size_t heard_ = 0;
  bool gone_ = false;
};

bool Exchange::stillAllowed(const StreamJob& job) const {
  if (job.route->role == Role::none) return true;
  try {
    const auto identity = authenticator_(job.request, job.token);
    return identity && identity->role >= job.route->role;
  } catch (const std::exception&) {
    return true;  // whoever keeps the tokens is away: that is no reason to cut those who follow
  }
}

Exchange::Next Exchange::runStream(Connection& connection, StreamJob& job) {
  if (const auto prepare = std::move(job.answer.prepare)) {
    try {
      prepare(job.answer);
    } catch (const std::exception& error) {
      job.answer = explain(error, job.request);
      tell(job.request, job.route, job.answer.status, job.began);
      return send(connection, job.answer, false, false) ? Next::linger : Next::close;
    }
  }
  job.answer.headers.emplace_back("X-Accel-Buffering", "no");
  const std::string head = headOf(job.answer, false, job.version_11 ? "Transfer-Encoding: chunked\r\n" : "");
  bool whole = false;
  if (writeAll(*connection.channel, head, settings_.send_timeout) == Ended::no) {
    ChunkedWriter writer(*this, connection, job);
    try {
      whole = job.answer.stream(writer);
    } catch (const std::exception& error) {
      log(LogLevel::error, job.request.method + " " + job.request.path + ": stream cut: " + error.what());
    }
    if (whole) writer.finish();
    whole = whole && !writer.gone();
  }
  tell(job.request, job.route, job.answer.status, job.began);
  job.answer.stream = nullptr;  // what it holds is not needed while the connection lingers
  return whole ? Next::linger : Next::close;
}

}  // namespace ocelot::http
