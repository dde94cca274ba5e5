#include "host/logs/terminal.hpp"

#include <cstdint>

#include "host/logs/utf8.hpp"

namespace ocelot::logs {

namespace {

constexpr std::size_t kMaxSequence = 64;
constexpr char kEscape = '\x1b';

void showPoint(std::uint32_t point, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  out += "<U+";
  for (int shift = point > 0xffff ? 20 : 12; shift >= 0; shift -= 4) out += kDigits[point >> shift & 15];
  out += '>';
}

// As `cat -v`.
void showByte(unsigned char byte, std::string& out) {
  if (byte >= 0x80) out += "M-";
  byte &= 0x7f;
  if (byte == 0x7f) {
    out += "^?";
  } else if (byte < 0x20) {
    (out += '^') += static_cast<char>(byte + '@');
  } else {
    out += static_cast<char>(byte);
  }
}

// Characters that a reader does not see, or that change the order of those he sees.
bool isInvisible(std::uint32_t point) {
  return (point >= 0x80 && point <= 0x9f) || point == 0xad || point == 0x61c || point == 0x180e ||
         (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
         (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
         (point >= 0xe0000 && point <= 0xe0fff);
}

// Does an SGR sequence's parameter list hide text (8)? The arguments of 38, 48 and 58 are colours, not attributes.
bool conceals(std::string_view parameters) {
  int arguments = 0;  // of an extended colour, still to be passed over
  bool extended = false;
  while (true) {
    const std::size_t end = parameters.find(';');
    const std::string_view one = parameters.substr(0, end);
    int value = 0;
    bool alone = true;  // without sub-parameters (38:2:…), which belong to their own parameter
    for (const char c : one) {
      if (c == ':') {
        alone = false;
        break;
      }
      value = value < 10000 ? value * 10 + (c - '0') : value;
    }
    if (extended) {
      arguments = value == 5 ? 1 : value == 2 ? 3 : 0;
      extended = false;
    } else if (arguments > 0) {
      --arguments;
    } else if (value == 8) {
      return true;
    } else if (alone && (value == 38 || value == 48 || value == 58)) {
      extended = true;
    }
    if (end == std::string_view::npos) return false;
    parameters.remove_prefix(end + 1);
  }
}

}  // namespace

std::size_t TerminalFilter::takeEscape(std::string_view rest, bool last, std::string& out) {
  const auto shown = [&] {
    out += "^[";  // what follows is then ordinary text
    return std::size_t{1};
  };
  if (rest.size() == 1) return last ? shown() : 0;
  if (rest[1] != '[') return shown();
  std::size_t end = 2;
  while (end < rest.size() && end < kMaxSequence &&
         ((rest[end] >= '0' && rest[end] <= '9') || rest[end] == ';' || rest[end] == ':'))
    ++end;
  if (end == kMaxSequence) return shown();
  if (end == rest.size()) return last ? shown() : 0;
  const std::string_view parameters = rest.substr(2, end - 2);
  if (rest[end] != 'm' || conceals(parameters)) return shown();
  if (colours_) {
    out.append(rest.substr(0, end + 1));
    coloured_ = !parameters.empty() && parameters.find_first_not_of("0;") != std::string_view::npos;
  }
  return end + 1;
}

std::size_t TerminalFilter::takeWide(std::string_view rest, bool last, std::string& out) {
  const Utf8 character = decodeUtf8(rest);
  if (character.unfinished && !last) return 0;
  if (character.bytes == 0) {
    showByte(static_cast<unsigned char>(rest[0]), out);
    return 1;
  }
  if (isInvisible(character.point)) {
    showPoint(character.point, out);
  } else {
    out.append(rest.substr(0, character.bytes));
  }
  return character.bytes;
}

std::size_t TerminalFilter::take(std::string_view rest, bool last, std::string& out) {
  const char c = rest[0];
  if (c == kEscape) return takeEscape(rest, last, out);
  if (static_cast<unsigned char>(c) >= 0x80) return takeWide(rest, last, out);
  if (c == '\r') {
    if (rest.size() == 1 && !last) return 0;
    // Before a newline, or before another CR that will be judged itself, it does nothing.
    if (rest.size() == 1 || (rest[1] != '\n' && rest[1] != '\r')) out += "^M\n";
    return 1;
  }
  showByte(static_cast<unsigned char>(c), out);
  return 1;
}

void TerminalFilter::run(std::string_view text, bool last, std::string& out) {
  const auto ordinary = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t'; };
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && ordinary(text[end])) ++end;
    out.append(text.substr(at, end - at));
    at = end;
    if (at == text.size()) break;
    const std::size_t used = take(text.substr(at), last, out);
    if (used == 0) break;
    at += used;
  }
  held_.assign(text.substr(at));
}

void TerminalFilter::feed(std::string_view in, std::string& out) {
  if (held_.empty()) {
    run(in, false, out);
  } else {
    std::string joined = std::move(held_);
    joined.append(in);
    run(joined, false, out);
  }
}

void TerminalFilter::flush(std::string& out) {
  const std::string rest = std::move(held_);
  held_.clear();
  run(rest, true, out);
  if (coloured_) out += "\x1b[0m";
  coloured_ = false;
}

std::string terminalSafe(std::string_view text, bool colours) {
  TerminalFilter filter(colours);
  std::string out;
  filter.feed(text, out);
  filter.flush(out);
  return out;
}

}  // namespace ocelot::logs
