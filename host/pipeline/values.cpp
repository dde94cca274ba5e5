#include "host/pipeline/values.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>

#include "host/pipeline/text_check.hpp"

namespace ocelot::pipeline {

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Takes the number at the front of `text`.
std::optional<std::int64_t> takeNumber(std::string_view& text, std::int64_t largest) {
  std::size_t digits = 0;
  std::int64_t value = 0;
  for (; digits < text.size() && isDigit(text[digits]); ++digits) {
    const int digit = text[digits] - '0';
    if (value > (largest - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (digits == 0 || (digits > 1 && text.front() == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool isAccount(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  if (isDigit(text.front())) return numberFrom(text, 4294967294).has_value();
  if (!isLetter(text.front()) && text.front() != '_') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return isLetter(c) || isDigit(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace

std::optional<std::int64_t> durationFrom(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits = {
      {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}}};
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto amount = takeNumber(text, 1000000000);
    if (!amount) return std::nullopt;
    const std::string_view unit =
        text.substr(0, static_cast<std::size_t>(std::find_if(text.begin(), text.end(), isDigit) - text.begin()));
    while (next_unit < kUnits.size() && kUnits[next_unit].first != unit) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    total += *amount * kUnits[next_unit++].second;
    text.remove_prefix(unit.size());
  }
  return total;
}

std::optional<std::uint64_t> sizeFrom(std::string_view text) {
  const auto amount = takeNumber(text, std::int64_t{1} << 50);
  if (!amount) return std::nullopt;
  std::string unit;
  for (const char c : text) unit += lower(c);
  int shift = 0;
  if (!unit.empty() && unit != "b") {
    const auto which = std::string_view("kmgt").find(unit.front());
    const std::string_view rest = std::string_view(unit).substr(1);
    if (which == std::string_view::npos || (rest != "" && rest != "b" && rest != "i" && rest != "ib"))
      return std::nullopt;
    shift = static_cast<int>(which + 1) * 10;
  }
  if (*amount > (std::numeric_limits<std::int64_t>::max() >> shift)) return std::nullopt;
  return static_cast<std::uint64_t>(*amount) << shift;
}

std::optional<std::uint32_t> millisFrom(std::string_view text) {
  const auto whole = takeNumber(text, 1000000);
  if (!whole) return std::nullopt;
  std::int64_t thousandths = 0;
  if (!text.empty()) {
    if (text.front() != '.' || text.size() < 2 || text.size() > 4) return std::nullopt;
    std::int64_t place = 100;
    for (const char c : text.substr(1)) {
      if (!isDigit(c)) return std::nullopt;
      thousandths += (c - '0') * place;
      place /= 10;
    }
  }
  return static_cast<std::uint32_t>(*whole * 1000 + thousandths);
}

std::optional<std::int64_t> numberFrom(std::string_view text, std::int64_t largest) {
  const auto value = takeNumber(text, largest);
  return text.empty() ? value : std::nullopt;
}

bool isVariableName(std::string_view text) {
  if (text.empty() || text.size() > 255 || isDigit(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return isLetter(c) || isDigit(c) || c == '_'; });
}

bool isUser(std::string_view text) {
  const auto colon = text.find(':');
  if (!isAccount(text.substr(0, colon))) return false;
  return colon == std::string_view::npos || isAccount(text.substr(colon + 1));
}

bool isPlainName(std::string_view text) {
  if (text.empty() || text.size() > 64 || !(isLetter(text.front()) || isDigit(text.front()))) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return isLetter(c) || isDigit(c) || c == '_' || c == '.' || c == '-'; });
}

bool isProgramPath(std::string_view text) {
  if (text.size() < 2 || text.size() > 255 || text.front() != '/' || text.back() == '/') return false;
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view part = text.substr(0, text.find('/'));
    const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
      return isLetter(c) || isDigit(c) || std::string_view("._-+").find(c) != std::string_view::npos;
    });
    if (part.empty() || part == "." || part == ".." || !plain) return false;
    text.remove_prefix(part.size());
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8Length(text.substr(at));
    const unsigned byte = static_cast<unsigned char>(text[at]);
    // C1 controls are two bytes, C2 80 … C2 9F; terminals obey some of them.
    const bool c1 = length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (length == 0 || byte < 0x20 || byte == 0x7F || c1) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", c1 ? static_cast<unsigned char>(text[at + 1]) : byte);
      out += escape;
      at += c1 ? 2 : 1;
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  return out;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::size_t end = 0, seen = 0;
  while (end < text.size() && seen < kLongest) {
    end += std::max<std::size_t>(1, utf8Length(text.substr(end)));
    ++seen;
  }
  return "`" + printable(text.substr(0, end)) + (end < text.size() ? "…`" : "`");
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

}  // namespace ocelot::pipeline
