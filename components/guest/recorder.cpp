#include "components/guest/recorder.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <algorithm>

#include "components/guest/clock.hpp"

namespace ocelot::guest {

namespace {

constexpr std::size_t kFrames = 16;  // of one batch: as much as the largest pipe holds
constexpr std::size_t kStep = journal::kOutputHeaderBytes + journal::kMaxOutputBytes;
constexpr std::uint64_t kClosingRoom = 64u << 10;   // kept free for the frames that end stages and the build
constexpr std::uint64_t kReserveStep = 128u << 10;  // so that small output does not cost a system call more each time
constexpr std::size_t kSmallest = 4096;

}  // namespace

void Recorder::refused(int error) {
  refusal_ = error;
  if (refused_since_ == kNever) refused_since_ = bootMillis();
}

// Makes sure that `bytes` more can be written and the closing frames after them. KEEP_SIZE: the blocks lie beyond the
// end of the file, where the reader does not look.
bool Recorder::reserve(std::size_t bytes) {
  if (!can_reserve_) return true;
  const std::uint64_t needed = size_ + bytes + kClosingRoom;
  if (needed <= reserved_) return true;
  const auto allocate = [this](std::uint64_t upto) {
    const auto from = std::max(size_, reserved_);
    while (::fallocate(journal_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                       static_cast<off_t>(upto - from)) != 0)
      if (errno != EINTR) return false;
    reserved_ = upto;
    return true;
  };
  if (allocate(needed + kReserveStep) || allocate(needed)) return true;
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO) return false;
  can_reserve_ = false;  // this file system has no such thing: the write itself will tell
  return true;
}

bool Recorder::write(const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(journal_.get(), bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      refused(written < 0 ? errno : ENOSPC);
      kept_.append(bytes, size);
      return false;
    }
    size_ += static_cast<std::uint64_t>(written);
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool Recorder::flush() {
  if (kept_.empty()) return true;
  const std::string kept = std::move(kept_);
  kept_.clear();
  return write(kept.data(), kept.size());
}

void Recorder::append(journal::Frame frame) {
  frame.time_us = wallMicros();
  const std::string bytes = journal::encode(frame);
  if (flush())
    write(bytes.data(), bytes.size());
  else
    kept_ += bytes;
}

Recorder::Room Recorder::room() {
  if (!flush()) return Room::no_space;
  if (!reserve(kSmallest)) {
    refused(errno);
    return Room::no_space;
  }
  refused_since_ = kNever;
  if (size_ - read_so_far_ <= max_backlog_) return Room::yes;
  read_so_far_ = std::clamp(read_.value().value_or(0), read_so_far_, size_);
  return size_ - read_so_far_ <= max_backlog_ ? Room::yes : Room::backlog;
}

Recorder::Pipe Recorder::record(int pipe, std::uint32_t stage, std::uint8_t stream, std::uint64_t& taken) {
  int waiting = 0;
  if (::ioctl(pipe, FIONREAD, &waiting) != 0 || waiting < 1) waiting = 1;  // 1: the read tells whether it is the end
  std::size_t most = std::min(static_cast<std::size_t>(waiting), kFrames * journal::kMaxOutputBytes);
  while (most > kSmallest && !reserve(most + kFrames * journal::kOutputHeaderBytes)) most /= 4;
  if (buffer_.empty()) buffer_.resize(kFrames * kStep);

  iovec parts[kFrames];
  int count = 0;
  for (std::size_t laid = 0; laid < most; ++count) {
    const std::size_t size = std::min(most - laid, journal::kMaxOutputBytes);
    parts[count] = {&buffer_[static_cast<std::size_t>(count) * kStep + journal::kOutputHeaderBytes], size};
    laid += size;
  }
  const ssize_t got = ::readv(pipe, parts, count);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Pipe::empty : Pipe::ended;
  if (got == 0) return Pipe::ended;
  taken += static_cast<std::uint64_t>(got);

  // Every part but the last is full, so headers and bytes lie without a gap.
  const std::uint64_t now = wallMicros();
  std::size_t left = static_cast<std::size_t>(got);
  std::size_t end = 0;
  for (std::size_t i = 0; left > 0; ++i) {
    const std::size_t size = std::min(left, journal::kMaxOutputBytes);
    journal::putOutputHeader(&buffer_[i * kStep], now, stage, stream, size);
    end = i * kStep + journal::kOutputHeaderBytes + size;
    left -= size;
  }
  write(buffer_.data(), end);
  return Pipe::open;
}

}  // namespace ocelot::guest
