#pragma once
// How the values of an option table are written by people, and the "did you mean" for a word that is none.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot {
inline namespace v1 {

namespace detail {

// Reads decimal digits from the front of `text` and cuts them off; nothing when there are none or too many.
inline std::optional<std::int64_t> takeDigits(std::string_view& text) {
  std::int64_t value = 0;
  std::size_t used = 0;
  for (; used < text.size() && text[used] >= '0' && text[used] <= '9'; ++used) {
    const int digit = text[used] - '0';
    if (value > (std::numeric_limits<std::int64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (used == 0) return std::nullopt;
  text.remove_prefix(used);
  return value;
}

inline std::optional<std::int64_t> multiply(std::int64_t value, std::int64_t factor) {
  if (value > std::numeric_limits<std::int64_t>::max() / factor) return std::nullopt;
  return value * factor;
}

}  // namespace detail

// A whole decimal number, with an optional minus.
inline std::optional<std::int64_t> parseNumber(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const auto value = detail::takeDigits(text);
  if (!value || !text.empty()) return std::nullopt;
  return negative ? -*value : *value;
}

inline std::optional<bool> parseFlag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

// "10s", "5m", "1h30m", "250ms", "2d", "0" → milliseconds. A unit is needed (but for 0), units go from long to short,
// each at most once.
inline std::optional<std::int64_t> parseDuration(std::string_view text) {
  if (text == "0") return 0;
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  static constexpr Unit kUnits[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
  std::int64_t total = 0;
  std::int64_t shorter_than = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto value = detail::takeDigits(text);
    if (!value) return std::nullopt;
    const std::string_view name =
        text.substr(0, std::min(text.size(), text.find_first_of("0123456789")));  // up to the next digits
    text.remove_prefix(name.size());
    const auto* unit =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& known) { return known.name == name; });
    if (unit == std::end(kUnits) || unit->milliseconds >= shorter_than) return std::nullopt;
    shorter_than = unit->milliseconds;
    const auto part = detail::multiply(*value, unit->milliseconds);
    if (!part || *part > std::numeric_limits<std::int64_t>::max() - total) return std::nullopt;
    total += *part;
  }
  return total;
}

// "4096", "64KiB", "64MiB", "1GiB", "2TiB"; K, M, G and T alone and KB, MB, GB, TB are read as the same powers of 1024,
// which is what people mean when they write a limit.
inline std::optional<std::int64_t> parseSize(std::string_view text) {
  const auto value = detail::takeDigits(text);
  if (!value) return std::nullopt;
  if (text.empty() || text == "B") return value;
  static constexpr std::string_view kLetters = "KMGT";
  const auto power = kLetters.find(text.front());
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(1);
  if (!rest.empty() && rest != "B" && rest != "iB") return std::nullopt;
  return detail::multiply(*value, std::int64_t{1} << (10 * (power + 1)));
}

// How many letters must be changed, added, removed or swapped with their neighbour to make one word of the other.
inline std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// The word of `known` that was probably meant, or "" when none is near: at most a third of the letters differ (one in
// words of two to five letters). Words longer than 64 letters are nobody's typing mistake.
inline std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 64) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > 64) continue;
    const std::size_t distance = editDistance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace v1
}  // namespace ocelot
