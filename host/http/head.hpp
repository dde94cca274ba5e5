#pragma once
// HTTP/1.1 heads and bodies, read strictly: what two parsers could understand differently is refused, because a proxy
// in front may be the other one (request smuggling). Poco's parser takes LF alone, "Host : x", several lengths, NUL
// bytes, and decodes RFC 2047 words into CR LF.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/http/message.hpp"

namespace ocelot::http {

const std::size_t kMaxHeadBytes = 32 << 10;
const std::size_t kMaxHeaders = 100;
const std::size_t kMaxTargetBytes = 8 << 10;

// Why a message is refused: an HTTP status and a sentence.
struct BadMessage {
  int status;
  std::string what;
};

struct RequestHead {
  std::string method, target;
  bool version_11 = false;
  Pairs headers;  // names lower-case, values trimmed
  bool close = false;
  bool chunked = false;
  std::int64_t length = 0;  // of a body that is not chunked
  bool expects_continue = false;
};

struct AnswerHead {
  int status = 0;
  Pairs headers;  // names as sent
  bool chunked = false;
  std::optional<std::int64_t> length;  // neither: the body goes on until the connection closes
};

// Where the head at the front of `buffer` ends (behind the empty line); 0: not yet whole. Throws BadMessage as soon as
// it cannot become one any more.
std::size_t headEnd(std::string_view buffer);
RequestHead parseRequestHead(std::string_view head);
AnswerHead parseAnswerHead(std::string_view head, bool body_expected);

// Takes a chunked body apart as it comes.
class ChunkDecoder {
 public:
  // Consumes what it can from the front of `in` and appends data to `out`, at most until `out` holds more than
  // `max_out` bytes. Throws BadMessage.
  void feed(std::string& in, std::string& out, std::size_t max_out);
  bool done() const { return state_ == State::done; }

 private:
  enum class State { size, data, data_end, trailer, done };
  State state_ = State::size;
  std::uint64_t left_ = 0;
  std::size_t trailer_bytes_ = 0;
};

// The value of a header among lower-case names; "" when absent.
std::string valueOf(const Pairs& lower_case, std::string_view name);
std::string lowerCase(std::string_view text);
// "%2F" → "/"; nullopt for a bad escape or a control character.
std::optional<std::string> percentDecode(std::string_view text, bool plus_is_blank);
// "a=1&b" decoded. Throws BadMessage.
Pairs parseQuery(std::string_view text);
// A value that is safe on a header line: control characters become blanks.
std::string headerSafe(std::string_view value);
const char* reasonOf(int status);

}  // namespace ocelot::http
