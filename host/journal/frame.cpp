#include "host/journal/frame.hpp"

#include "host/journal/wire.hpp"

namespace ocelot::journal {

namespace {

constexpr std::size_t kHead = 1 + 8;  // kind and time: what `size` counts before the payload
constexpr std::size_t kMaxBuildId = 128;

using Reader = wire::Reader<Tampered>;

const char* nameOf(FrameKind kind) {
  switch (kind) {
    case FrameKind::hello:
      return "hello";
    case FrameKind::stage_started:
      return "stage_started";
    case FrameKind::output:
      return "output";
    case FrameKind::stage_finished:
      return "stage_finished";
    case FrameKind::notice:
      return "notice";
    case FrameKind::finished:
      return "finished";
  }
  return nullptr;
}

// The most bytes that a payload of this kind has. Known before the payload is there, so a forged size is told at once
// and not waited for.
std::size_t maxPayload(FrameKind kind) {
  switch (kind) {
    case FrameKind::hello:
      return 4 + 4 + kMaxBuildId;
    case FrameKind::stage_started:
      return 4;
    case FrameKind::output:
      return 4 + 1 + kMaxOutputBytes;
    case FrameKind::stage_finished:
      return 4 + 1 + 4 + 8 + 8 + 1 + kMaxSentenceBytes;
    case FrameKind::notice:
      return kMaxSentenceBytes;
    case FrameKind::finished:
      return 1 + kMaxSentenceBytes;
  }
  return 0;
}

Ending takeEnding(Reader& from) {
  const auto value = from.take8();
  if (value > static_cast<std::uint8_t>(Ending::broken)) from.fail("ending " + std::to_string(value));
  return static_cast<Ending>(value);
}

std::int64_t takeAmount(Reader& from) {
  const auto value = static_cast<std::int64_t>(from.take64());
  if (value < 0) from.fail("a resource use below zero");
  return value;
}

void takePayload(Reader& from, Frame& frame) {
  switch (frame.kind) {
    case FrameKind::hello:
      frame.version = from.take32();
      frame.number = from.take32();
      frame.bytes = from.takeRest();
      return;
    case FrameKind::stage_started:
      frame.stage = from.take32();
      return;
    case FrameKind::output:
      frame.stage = from.take32();
      frame.stream = from.take8();
      if (frame.stream != 1 && frame.stream != 2) from.fail("stream " + std::to_string(frame.stream));
      frame.bytes = from.takeRest();
      if (frame.bytes.empty()) from.fail("no bytes");
      return;
    case FrameKind::stage_finished:
      frame.stage = from.take32();
      frame.ending = takeEnding(from);
      frame.exit_code = static_cast<std::int32_t>(from.take32());
      frame.cpu_us = takeAmount(from);
      frame.max_rss_bytes = takeAmount(from);
      frame.out_of_memory = from.takeFlag();
      frame.bytes = from.takeRest();
      return;
    case FrameKind::notice:
      frame.bytes = from.takeRest();
      return;
    case FrameKind::finished:
      frame.ending = takeEnding(from);
      frame.bytes = from.takeRest();
      return;
  }
}

std::string payloadOf(const Frame& frame) {
  std::string to;
  switch (frame.kind) {
    case FrameKind::hello:
      wire::put32(to, frame.version);
      wire::put32(to, frame.number);
      to += frame.bytes.substr(0, kMaxBuildId);
      break;
    case FrameKind::stage_started:
      wire::put32(to, frame.stage);
      break;
    case FrameKind::output:
      wire::put32(to, frame.stage);
      wire::put8(to, frame.stream);
      if (frame.bytes.size() > kMaxOutputBytes) throw std::length_error("output frame of more than 64 KiB");
      to += frame.bytes;
      break;
    case FrameKind::stage_finished:
      wire::put32(to, frame.stage);
      wire::put8(to, static_cast<std::uint8_t>(frame.ending));
      wire::put32(to, static_cast<std::uint32_t>(frame.exit_code));
      wire::put64(to, static_cast<std::uint64_t>(frame.cpu_us));
      wire::put64(to, static_cast<std::uint64_t>(frame.max_rss_bytes));
      wire::put8(to, frame.out_of_memory ? 1 : 0);
      to += frame.bytes.substr(0, kMaxSentenceBytes);
      break;
    case FrameKind::notice:
      to += frame.bytes.substr(0, kMaxSentenceBytes);
      break;
    case FrameKind::finished:
      wire::put8(to, static_cast<std::uint8_t>(frame.ending));
      to += frame.bytes.substr(0, kMaxSentenceBytes);
      break;
  }
  return to;
}

}  // namespace

std::string encode(const Frame& frame) {
  const std::string payload = payloadOf(frame);
  std::string to;
  to.reserve(4 + kHead + payload.size());
  wire::put32(to, static_cast<std::uint32_t>(kHead + payload.size()));
  wire::put8(to, static_cast<std::uint8_t>(frame.kind));
  wire::put64(to, frame.time_us);
  return to += payload;
}

void putOutputHeader(char* to, std::uint64_t time_us, std::uint32_t stage, std::uint8_t stream, std::size_t size) {
  const auto put = [&to](std::uint64_t value, int bytes) {
    for (; bytes > 0; --bytes, value >>= 8) *to++ = static_cast<char>(value & 0xff);
  };
  put(kHead + 4 + 1 + size, 4);
  put(static_cast<std::uint8_t>(FrameKind::output), 1);
  put(time_us, 8);
  put(stage, 4);
  put(stream, 1);
}

int exitStatusOf(Ending ending) {
  switch (ending) {
    case Ending::passed:
    case Ending::skipped:
      return 0;
    case Ending::failed:
      return 1;
    case Ending::timed_out:
      return 2;
    case Ending::canceled:
      return 3;
    case Ending::abandoned:
      return 4;
    case Ending::broken:
      break;
  }
  return 5;
}

std::optional<Frame> takeFrame(std::string_view& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  Reader from(bytes, "journal: frame");
  const std::size_t size = from.take32();
  if (size < kHead || size > kMaxFrameBytes) from.fail("size " + std::to_string(size));
  if (bytes.size() < 5) return std::nullopt;
  Frame frame;
  frame.kind = static_cast<FrameKind>(from.take8());
  const char* name = nameOf(frame.kind);
  if (name == nullptr) from.fail("kind " + std::to_string(static_cast<int>(frame.kind)));
  from.at(std::string("journal: ") + name + " frame");
  if (size - kHead > maxPayload(frame.kind)) from.fail("size " + std::to_string(size));
  if (bytes.size() < 4 + size) return std::nullopt;
  Reader payload(bytes.substr(5, size - 1), from.where());
  frame.time_us = payload.take64();
  takePayload(payload, frame);
  if (payload.left() > 0) payload.fail(std::to_string(payload.left()) + " bytes too many");
  bytes.remove_prefix(4 + size);
  return frame;
}

}  // namespace ocelot::journal
