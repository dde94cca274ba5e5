#pragma once
// The small texts of an ocelot.yml: durations, sizes, names. Each returns nothing for what is not one.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocelot::pipeline {

// "90s", "30m", "1h30m", "2d" in milliseconds; units from large to small, each at most once.
std::optional<std::int64_t> durationFrom(std::string_view text);

// "512m", "2g", "2GiB", "1048576": powers of 1024, whole bytes.
std::optional<std::uint64_t> sizeFrom(std::string_view text);

// "2", "1.5", "0.25" in thousandths.
std::optional<std::uint32_t> millisFrom(std::string_view text);

// Decimal digits without sign or leading zero, at most `largest`.
std::optional<std::int64_t> numberFrom(std::string_view text, std::int64_t largest);

// [A-Za-z_][A-Za-z0-9_]*, at most 255.
bool isVariableName(std::string_view text);

// "1000", "app", "app:group", "1000:1000".
bool isUser(std::string_view text);

// Letters, digits, `_`, `.` and `-`, beginning with a letter or digit, at most 64: machine tags, names of notifiers.
bool isPlainName(std::string_view text);

// An absolute path of a program, without blanks and without `.` and `..`.
bool isProgramPath(std::string_view text);

// The text in backquotes for a message: at most 60 characters, control characters as \xNN.
std::string quoted(std::string_view text);

// The same without quotes and without the limit: safe to print on one line.
std::string printable(std::string_view text);

std::size_t characters(std::string_view utf8);

}  // namespace ocelot::pipeline
