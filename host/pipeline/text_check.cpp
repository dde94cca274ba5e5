#include "host/pipeline/text_check.hpp"

#include <cstdio>

namespace ocelot::pipeline {

namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

unsigned byteAt(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

std::string hex(unsigned value, int width) {
  char out[16];
  std::snprintf(out, sizeof out, "%0*X", width, value);
  return out;
}

// UTF-16 and UTF-32 by their marks, or by the zero bytes that ASCII text has in them.
bool looksLikeUtf16(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const unsigned a = byteAt(bytes, 0), b = byteAt(bytes, 1);
  if ((a == 0xFF && b == 0xFE) || (a == 0xFE && b == 0xFF)) return true;
  return (a == 0) != (b == 0);
}

unsigned decode(std::string_view sequence) {
  const unsigned lead = byteAt(sequence, 0);
  if (sequence.size() == 1) return lead;
  unsigned code = lead & (0xFFu >> (sequence.size() + 1));
  for (std::size_t i = 1; i < sequence.size(); ++i) code = (code << 6) | (byteAt(sequence, i) & 0x3Fu);
  return code;
}

bool isBidirectionalOverride(unsigned code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

bool isControl(unsigned code) {
  if (code == '\t' || code == '\n' || code == '\r' || code == 0x85) return false;
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

}  // namespace

Place placeAt(std::string_view text, std::size_t offset) {
  Place place;
  if (offset > text.size()) offset = text.size();
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((byteAt(text, i) & 0xC0u) != 0x80u) {
      ++place.column;
    }
  }
  return place;
}

std::size_t utf8Length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const unsigned lead = byteAt(bytes, 0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byteAt(bytes, i) & 0xC0u) != 0x80u) return 0;
  }
  const unsigned second = byteAt(bytes, 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);  // surrogates, above U+10FFFF
  return overlong || beyond ? 0 : length;
}

std::string_view withoutByteOrderMark(std::string_view bytes) {
  if (bytes.substr(0, kUtf8Mark.size()) == kUtf8Mark) bytes.remove_prefix(kUtf8Mark.size());
  return bytes;
}

bool checkText(std::string_view bytes, std::vector<Problem>& problems) {
  if (bytes.size() > kMaxFileBytes) {
    problems.push_back({0, 0,
                        "the file has " + std::to_string(bytes.size()) + " bytes; at most " +
                            std::to_string(kMaxFileBytes) + " are read",
                        "keep long scripts in files of their own and call them"});
    return false;
  }
  if (looksLikeUtf16(bytes)) {
    problems.push_back({1, 1, "the file is UTF-16 or UTF-32", "save it as UTF-8"});
    return false;
  }
  bool warned = false;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto refuse = [&](std::string message, std::string hint) {
      const Place place = placeAt(bytes, at);
      problems.push_back({place.line, place.column, std::move(message), std::move(hint)});
      return false;
    };
    const std::size_t length = utf8Length(bytes.substr(at));
    if (length == 0) return refuse("byte 0x" + hex(byteAt(bytes, at), 2) + " is not UTF-8", "save the file as UTF-8");
    const unsigned code = decode(bytes.substr(at, length));
    if (isControl(code))
      return refuse("control character U+" + hex(code, 4),
                    code == 0 ? "remove it" : "write it in double quotes as an escape, such as \"\\x1b\"");
    if (code == 0xFEFF)
      return refuse("a byte order mark inside the file",
                    "remove it: it is invisible, and only allowed as the very first character");
    if (code == '\r' && bytes.substr(at + 1, 1) != "\n") {
      return refuse("a carriage return without a line feed", "save the file with line ends LF or CRLF");
    }
    if (isBidirectionalOverride(code) && !warned) {
      warned = true;
      const Place place = placeAt(bytes, at);
      problems.push_back({place.line, place.column, "bidirectional control character U+" + hex(code, 4),
                          "what is shown here may not be what runs", Severity::warning});
    }
    at += length;
  }
  return true;
}

}  // namespace ocelot::pipeline
