#include "host/store/sql/text.hpp"

#include <cstdio>

namespace ocelot::store {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// Length of the well-formed character at i (Unicode table 3-7), 0 when there is none.
std::size_t characterAt(std::string_view text, std::size_t i) {
  const unsigned char first = at(text, i);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80, high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (i + length > text.size()) return 0;
  if (at(text, i + 1) < low || at(text, i + 1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k)
    if (at(text, i + k) < 0x80 || at(text, i + k) > 0xBF) return 0;
  return length;
}

}  // namespace

std::string validText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = characterAt(text, i);
    if (length == 0) {
      out += kReplacement;
      ++i;
    } else {
      out.append(text, i, length);
      i += length;
    }
  }
  return out;
}

std::string cutText(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  std::size_t end = bytes;
  while (end > 0 && (at(text, end) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

std::string jsonList(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : validText(item)) {
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
        out += escaped;
      } else {
        out += c;
      }
    }
    out += '"';
  }
  return out + "]";
}

}  // namespace ocelot::store
