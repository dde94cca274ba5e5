#pragma once
// UTF-8, one character at a time.

#include <cstdint>
#include <string_view>

namespace ocelot::logs {

struct Utf8 {
  std::uint32_t point = 0;
  std::size_t bytes = 0;    // 0: not UTF-8
  bool unfinished = false;  // not UTF-8 yet: more bytes may make it so
};

// The character that `text` (not empty) begins with. Overlong forms and surrogates are not UTF-8.
inline Utf8 decodeUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, false};
  const std::size_t length = first >= 0xc2 && first < 0xe0   ? 2
                             : first >> 4 == 14              ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0) return {};
  std::uint32_t point = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {0, 0, true};
    const unsigned next = byte(i);
    unsigned low = 0x80, high = 0xbf;
    if (i == 1 && first == 0xe0) low = 0xa0;
    if (i == 1 && first == 0xed) high = 0x9f;
    if (i == 1 && first == 0xf0) low = 0x90;
    if (i == 1 && first == 0xf4) high = 0x8f;
    if (next < low || next > high) return {};
    point = point << 6 | (next & 0x3f);
  }
  return {point, length, false};
}

}  // namespace ocelot::logs
