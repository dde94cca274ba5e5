#pragma once
// The bytes of NSQ's V2 protocol: commands as they are written, frames as they are read. What comes from the server is
// held to its bounds here, and nowhere trusted.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::queue::nsq {

// What came is not the protocol; the connection is of no more use.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class FrameType { response, error, message };
struct Frame {
  FrameType type = FrameType::response;
  std::string data;
};

// A frame's size and type, and the most that we let one hold: nsqd's own default for a message (-max-msg-size), and
// what it puts before one.
constexpr std::size_t kFrameHead = 8;
constexpr std::size_t kMaxFrameData = (1 << 20) + 64;

// Takes the first frame off the front of what was read; nullopt: not all of it has come. Throws ProtocolError.
std::optional<Frame> takeFrame(std::string& in);

struct Message {
  std::int64_t published_ns = 0;
  int attempts = 0;
  std::string id;
  std::string body;
};
Message parseMessage(const Frame& frame);  // throws ProtocolError

// Whether the connection lives on after this error: a message that timed out can no longer be finished, which harms
// nothing. After every other one nsqd closes.
bool endsConnection(std::string_view error);
// For messages to people: printable, one line, not endless.
std::string shown(std::string_view data);

inline constexpr std::string_view kMagic = "  V2";
inline constexpr std::string_view kHeartbeat = "_heartbeat_";

std::string identify(std::string_view json);
std::string auth(std::string_view secret);
std::string sub(std::string_view topic, std::string_view channel);
std::string rdy(int count);
std::string fin(std::string_view id);
std::string req(std::string_view id);  // to be delivered again at once
std::string cls();
std::string nop();
std::string pub(std::string_view topic, std::string_view body);
std::string mpub(std::string_view topic, std::string_view body, int times);

}  // namespace ocelot::queue::nsq
