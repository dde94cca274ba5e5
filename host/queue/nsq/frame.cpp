#include "host/queue/nsq/frame.hpp"

#include <algorithm>
#include <array>

namespace ocelot::queue::nsq {
namespace {

constexpr std::size_t kIdSize = 16;
constexpr std::size_t kMessageHead = 8 + 2 + kIdSize;

std::uint64_t bigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string size4(std::size_t value) {
  std::string bytes(4, '\0');
  for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
  return bytes;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) text += part;
  return text;
}

bool isIdCharacter(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::optional<Frame> takeFrame(std::string& in) {
  if (in.size() < kFrameHead) return std::nullopt;
  const std::string_view bytes = in;
  const std::uint64_t size = bigEndian(bytes.substr(0, 4));  // of the type and the data
  const std::uint64_t type = bigEndian(bytes.substr(4, 4));
  if (size < 4 || size - 4 > kMaxFrameData)
    throw ProtocolError("a frame of " + std::to_string(size) +
                        " bytes: this is not nsqd, or it takes messages beyond " + "1 MiB (-max-msg-size)");
  if (type > 2) throw ProtocolError("a frame of type " + std::to_string(type) + ": this is not nsqd's V2 protocol");
  if (in.size() < 4 + size) return std::nullopt;
  Frame frame{static_cast<FrameType>(type), in.substr(kFrameHead, size - 4)};
  in.erase(0, 4 + size);
  return frame;
}

Message parseMessage(const Frame& frame) {
  const std::string_view data = frame.data;
  if (frame.type != FrameType::message || data.size() < kMessageHead)
    throw ProtocolError("a message of " + std::to_string(data.size()) + " bytes, less than its head");
  Message message;
  message.published_ns = static_cast<std::int64_t>(bigEndian(data.substr(0, 8)));
  message.attempts = static_cast<int>(bigEndian(data.substr(8, 2)));
  message.id = data.substr(10, kIdSize);
  // It is written back in a command line.
  if (!std::all_of(message.id.begin(), message.id.end(), isIdCharacter))
    throw ProtocolError("a message whose id is \"" + shown(message.id) + "\"");
  message.body = data.substr(kMessageHead);
  return message;
}

bool endsConnection(std::string_view error) {
  constexpr std::array<std::string_view, 3> kHarmless{"E_FIN_FAILED", "E_REQ_FAILED", "E_TOUCH_FAILED"};
  return std::none_of(kHarmless.begin(), kHarmless.end(),
                      [&](std::string_view one) { return error.substr(0, one.size()) == one; });
}

std::string shown(std::string_view data) {
  constexpr std::size_t kMost = 200;
  std::string text(data.substr(0, kMost));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return data.size() > kMost ? text + "…" : text;
}

std::string identify(std::string_view json) { return joined({"IDENTIFY\n", size4(json.size()), json}); }
std::string auth(std::string_view secret) { return joined({"AUTH\n", size4(secret.size()), secret}); }
std::string sub(std::string_view topic, std::string_view channel) {
  return joined({"SUB ", topic, " ", channel, "\n"});
}
std::string rdy(int count) { return "RDY " + std::to_string(count) + "\n"; }
std::string fin(std::string_view id) { return joined({"FIN ", id, "\n"}); }
std::string req(std::string_view id) { return joined({"REQ ", id, " 0\n"}); }
std::string cls() { return "CLS\n"; }
std::string nop() { return "NOP\n"; }
std::string pub(std::string_view topic, std::string_view body) {
  return joined({"PUB ", topic, "\n", size4(body.size()), body});
}

std::string mpub(std::string_view topic, std::string_view body, int times) {
  std::string messages = size4(static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) messages += joined({size4(body.size()), body});
  return joined({"MPUB ", topic, "\n", size4(messages.size()), messages});
}

}  // namespace ocelot::queue::nsq
