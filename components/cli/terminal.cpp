#include "components/cli/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "host/logs/terminal.hpp"

namespace ocelot::cli {
namespace {

constexpr std::array<const char*, 9> kCodes{"", "31", "32", "33", "34", "35", "36", "2", "1"};

// How many columns UTF-8 text takes, near enough: one a character.
std::size_t width(const std::string& text) {
  std::size_t count = 0;
  bool escape = false;
  for (const char c : text) {
    if (c == '\x1b') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xc0) != 0x80) ++count;
    if (escape && c == 'm') escape = false;
  }
  return count;
}

std::int64_t nowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string dayOf(std::int64_t micros) {
  const std::time_t then = micros / 1000000;
  std::tm local{};
  ::localtime_r(&then, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &local);
  return text;
}

}  // namespace

bool isTerminal(int fd) { return ::isatty(fd) == 1; }

std::string paint(const std::string& text, Colour colour, int fd) {
  if (colour == Colour::none || !isTerminal(fd) || std::getenv("NO_COLOR")) return text;
  return std::string("\x1b[") + kCodes[static_cast<std::size_t>(colour)] + "m" + text + "\x1b[0m";
}

Colour colourOf(std::string_view state) {
  if (state == "passed") return Colour::green;
  if (state == "failed" || state == "error" || state == "timed_out" || state == "rejected") return Colour::red;
  if (state == "running") return Colour::magenta;
  if (state == "canceled" || state == "skipped") return Colour::yellow;
  return Colour::none;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], width(row[i]));
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    out += line + "\n";
  }
  return out;
}

std::string duration(std::int64_t micros) {
  char text[48];
  const std::int64_t seconds = micros / 1000000;
  if (seconds < 60) {
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(micros) / 1e6);
  } else if (seconds < 3600) {
    std::snprintf(text, sizeof text, "%lld min %lld s", static_cast<long long>(seconds / 60),
                  static_cast<long long>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%lld h %lld min", static_cast<long long>(seconds / 3600),
                  static_cast<long long>(seconds % 3600 / 60));
  }
  return text;
}

std::string ago(std::int64_t micros) {
  if (micros == 0) return "";
  const std::int64_t seconds = std::max<std::int64_t>(0, (nowMicros() - micros) / 1000000);
  if (seconds < 60) return std::to_string(seconds) + " s ago";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min ago";
  if (seconds < 2 * 86400) return std::to_string(seconds / 3600) + " h ago";
  return dayOf(micros);
}

std::string until(std::int64_t micros) {
  if (micros == 0) return "never";
  const std::int64_t seconds = (micros - nowMicros()) / 1000000;
  if (seconds <= 0) return "over";
  if (seconds < 60) return "in " + std::to_string(seconds) + " s";
  if (seconds < 3600) return "in " + std::to_string(seconds / 60) + " min";
  if (seconds < 2 * 86400) return "in " + std::to_string(seconds / 3600) + " h";
  return dayOf(micros);
}

std::string plain(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  return logs::terminalSafe(line, false);
}

}  // namespace ocelot::cli
