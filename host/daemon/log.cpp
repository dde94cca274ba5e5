#include "host/daemon/log.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <stdexcept>

#include "host/http/json.hpp"

namespace ocelot::daemon {
namespace {

// One log a process, as there is one stderr; set up before the first thread.
struct Sink {
  std::string daemon = "ocelot";
  LogFormat format = LogFormat::text;
  std::atomic<LogLevel> least{LogLevel::info};
  int fd = 2;
};

Sink& sink() {
  static Sink one;
  return one;
}

const char* nameOf(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      break;
  }
  return "error";
}

// 2031-05-04T12:30:15.123Z
std::string now() {
  timeval time{};
  gettimeofday(&time, nullptr);
  tm utc{};
  gmtime_r(&time.tv_sec, &utc);
  char seconds[32], whole[48];
  std::strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(whole, sizeof whole, "%s.%03dZ", seconds, static_cast<int>(time.tv_usec / 1000));
  return whole;
}

// Nothing that comes from outside may begin a line of its own, or move the reader's cursor.
std::string oneLine(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, c == '\n' ? "\\n" : "\\x%02x", static_cast<unsigned>(byte));
    out += escape;
  }
  return out;
}

std::string fieldText(std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=") == std::string_view::npos;
  return plain ? oneLine(value) : http::quoted(value);
}

std::string jsonLine(LogLevel level, std::string_view text, LogFields fields) {
  http::JsonWriter line;
  line.object()
      .field("time", now())
      .field("level", nameOf(level))
      .field("daemon", sink().daemon)
      .field("message", text);
  for (const auto& [name, value] : fields) line.field(name, value);
  return line.end().text() + "\n";
}

std::string textLine(LogLevel level, std::string_view text, LogFields fields) {
  std::string line = now() + " " + sink().daemon + " " + nameOf(level) + ": " + oneLine(text);
  for (const auto& [name, value] : fields) line += " " + oneLine(name) + "=" + fieldText(value);
  return line + "\n";
}

}  // namespace

void setUpLog(std::string daemon, LogFormat format, LogLevel least, int fd) {
  sink().daemon = std::move(daemon);
  sink().format = format;
  sink().least = least;
  sink().fd = fd;
}

void setLogLevel(LogLevel least) { sink().least = least; }

LogLevel logLevelFrom(std::string_view text) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (text == nameOf(level)) return level;
  }
  throw std::invalid_argument("no such log level: " + std::string(text));
}

void log(LogLevel level, std::string_view text, LogFields fields) noexcept {
  if (level < sink().least.load(std::memory_order_relaxed)) return;
  try {
    const bool json = sink().format == LogFormat::json;
    const std::string line = json ? jsonLine(level, text, fields) : textLine(level, text, fields);
    [[maybe_unused]] const auto written = ::write(sink().fd, line.data(), line.size());  // nobody to tell
  } catch (const std::exception&) {
    // Out of memory: the line is lost, the daemon is not.
  }
}

}  // namespace ocelot::daemon
