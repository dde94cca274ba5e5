#pragma once
// What people see: colours, tables, durations.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::cli {

enum class Colour { none, red, green, yellow, blue, magenta, cyan, dim, bold };

// Coloured when `fd` is a terminal and NO_COLOR is not set; else the text as it is.
std::string paint(const std::string& text, Colour colour, int fd = 1);
Colour colourOf(std::string_view build_or_stage_state);
bool isTerminal(int fd);

// Columns as wide as their widest cell; the first row is the heading. Cells with text from outside go through plain().
std::string table(const std::vector<std::vector<std::string>>& rows);

// "1.3 s", "2 min 5 s", "1 h 2 min".
std::string duration(std::int64_t micros);
// "12 s ago", "3 h ago", "2026-03-01".
std::string ago(std::int64_t micros_since_epoch);
// "in 12 min", "in 3 h", "2026-03-01"; "over" when it lies behind, "never" for 0.
std::string until(std::int64_t micros_since_epoch);
// Text from outside on a line of ours: what a terminal would obey is shown instead, line ends are blanks.
std::string plain(std::string_view text);

}  // namespace ocelot::cli
