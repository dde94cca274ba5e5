// Chunked bodies. A broken one is an error, never a shorter body.

#include <algorithm>
#include <optional>

#include "host/http/head.hpp"
#include "host/http/hex_digit.hpp"

namespace ocelot::http {
namespace {

bool isControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string_view withoutBlanks(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

void ChunkDecoder::feed(std::string& in, std::string& out, std::size_t max_out) {
  std::size_t at = 0;
  const auto line = [&](std::size_t longest) -> std::optional<std::string_view> {
    const auto end = in.find('\n', at);
    if (end == std::string::npos) {
      if (in.size() - at > longest) throw BadMessage{400, "a chunk's size line is too long"};
      return std::nullopt;
    }
    if (end == at || in[end - 1] != '\r' || end - at > longest) throw BadMessage{400, "a chunk's size line is broken"};
    const auto text = std::string_view(in).substr(at, end - 1 - at);
    at = end + 1;
    return text;
  };
  bool more = true;
  while (more && state_ != State::done) {
    switch (state_) {
      case State::size: {
        const auto text = line(256);
        if (!(more = text.has_value())) break;
        const auto digits = withoutBlanks(text->substr(0, text->find(';')));
        if (digits.empty() || digits.size() > 15 || std::any_of(text->begin(), text->end(), isControl)) {
          throw BadMessage{400, "a chunk's size is not a number"};
        }
        left_ = 0;
        for (const char c : digits) {
          if (hexDigit(c) < 0) throw BadMessage{400, "a chunk's size is not a number"};
          left_ = left_ * 16 + static_cast<std::uint64_t>(hexDigit(c));
        }
        state_ = left_ == 0 ? State::trailer : State::data;
        break;
      }
      case State::data: {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - at));
        out.append(in, at, size);
        at += size;
        left_ -= size;
        if (left_ == 0) state_ = State::data_end;
        more = left_ == 0 && out.size() <= max_out;
        break;
      }
      case State::data_end:
        if (!(more = in.size() - at >= 2)) break;
        if (in.compare(at, 2, "\r\n") != 0) throw BadMessage{400, "a chunk is longer than its size says"};
        at += 2;
        state_ = State::size;
        break;
      case State::trailer: {
        const auto text = line(8 << 10);
        if (!(more = text.has_value())) break;
        trailer_bytes_ += text->size();
        if (trailer_bytes_ > (8 << 10)) throw BadMessage{431, "the trailer is longer than 8 KiB"};
        if (text->empty()) state_ = State::done;
        break;
      }
      case State::done:
        break;
    }
  }
  in.erase(0, at);
}

}  // namespace ocelot::http
