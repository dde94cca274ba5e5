#pragma once
// One line a happening, to stderr, as JSON or as text. Written with a single write(2), so that lines of several
// threads and processes do not mix. No line ever spans two: control characters are escaped.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "ocelot/call.hpp"

namespace ocelot::daemon {

enum class LogFormat { text, json };

// Before the first thread; `daemon` stands in every line.
void setUpLog(std::string daemon, LogFormat format, LogLevel least, int fd = 2);
void setLogLevel(LogLevel least);              // [any] thread; a reload uses it
LogLevel logLevelFrom(std::string_view text);  // "debug" "info" "warning" "error"; throws std::invalid_argument

using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// log(LogLevel::info, "build claimed", {{"build", id}, {"attempt", "1"}}). [any] thread. Never throws.
void log(LogLevel level, std::string_view text, LogFields fields = {}) noexcept;

}  // namespace ocelot::daemon
