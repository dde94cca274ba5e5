#include "host/http/download.hpp"

#include <algorithm>

namespace ocelot::http {
namespace {

constexpr std::size_t kAtOnce = 64u << 10;

class Body final : public Download {
 public:
  Body(Conversation& conversation, const AnswerHead& head)
      : what_(conversation.what()), chunked_(head.chunked), left_(head.length.value_or(-1)) {
    channel_ = conversation.takeChannel(in_);
  }

  Got read(std::string& into) override {
    const std::size_t before = into.size();
    bool closed = false;
    while (true) {
      take(into, before + kAtOnce);
      const std::size_t got = into.size() - before;
      if (got >= kAtOnce || (got > 0 && (done_ || closed))) return Got::bytes;
      if (done_) return Got::end;
      if (closed) return atClose();
      char buffer[16384];
      const auto io = channel_->read(buffer, sizeof buffer);
      if (io.bytes > 0) {
        in_.append(buffer, io.bytes);
      } else if (io.want == Channel::Want::closed) {
        if (got > 0) return Got::bytes;
        closed = true;
      } else {
        return got > 0 ? Got::bytes : Got::nothing;
      }
    }
  }
  int fd() const override { return channel_->fd(); }

 private:
  // Moves what in_ has of the body to `into`, until that has about `most` bytes.
  void take(std::string& into, std::size_t most) {
    const std::size_t before = into.size();
    if (chunked_) {
      try {
        decoder_.feed(in_, into, most);
      } catch (const BadMessage& bad) {
        fail(Status::unavailable, what_, bad.what);
      }
      done_ = decoder_.done();
    } else {
      const std::size_t part =
          left_ < 0 ? in_.size() : static_cast<std::size_t>(std::min<std::int64_t>(left_, std::ssize(in_)));
      into.append(in_, 0, part);
      in_.erase(0, part);
      if (left_ >= 0) left_ -= static_cast<std::int64_t>(part);
      done_ = left_ == 0;
    }
    got_ += into.size() - before;
  }

  // Without a length the end is where the connection closes.
  Got atClose() {
    if (!channel_->reason().empty()) fail(Status::unavailable, what_, channel_->reason());
    if (chunked_ || left_ > 0)
      fail(Status::unavailable, what_, "the answer was cut off after " + std::to_string(got_) + " bytes");
    done_ = true;
    return Got::end;
  }

  const std::string what_;
  const bool chunked_;
  std::int64_t left_;  // -1: not said
  std::unique_ptr<Channel> channel_;
  std::string in_;
  ChunkDecoder decoder_;
  std::uint64_t got_ = 0;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<Download> downloadOf(Conversation& conversation, const AnswerHead& head) {
  return std::make_unique<Body>(conversation, head);
}

}  // namespace ocelot::http
