#include "host/pipeline/syntax_error.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "host/pipeline/values.hpp"

namespace ocelot::pipeline::yaml {

namespace {

struct Translation {
  std::string_view theirs;
  std::string_view message;
  std::string_view hint;
};

constexpr std::array<Translation, 14> kTranslations = {{
    {"illegal map value", "a `:` where no key can stand", "check the indentation; quote a value that contains `: `"},
    {"end of map not found", "this line does not fit the map above it",
     "check the indentation; nothing may follow a closing quote"},
    {"end of sequence not found", "this line does not fit the list above it", "check the indentation"},
    {"end of sequence flow not found", "a `[` is never closed", "add the `]`"},
    {"end of map flow not found", "a `{` is never closed", "add the `}`; quote a value that begins with `{`"},
    {"illegal block entry", "a `-` where no list can begin", "put the list on its own lines, or quote the value"},
    {"illegal flow end", "a `]` or `}` that closes nothing", "quote the value"},
    {"illegal map key", "a key where none can stand", "check the indentation"},
    {"unknown token", "a value that begins with `@`, `` ` `` or `%`", "quote it"},
    {"the referenced anchor is not defined", "an alias without its anchor", "quote a value that begins with `*`"},
    {"alias not found after *", "a `*` without a name", "quote a value that begins with `*`"},
    {"anchor not found after &", "an `&` without a name", "quote a value that begins with `&`"},
    {"bad file", "too many levels of nesting", ""},
    {"illegal tab when looking for indentation", "a tab in the indentation", "indent with spaces"},
}};

bool indentedByTab(std::string_view line) {
  const auto content = line.find_first_not_of(" \t\r");
  const auto tab = line.find('\t');
  return content != std::string_view::npos && tab < content;
}

// Does the quote at `at` stay open to the end of the text?
bool staysOpen(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != '\'') return false;
      ++i;
    }
  }
  return true;
}

// The opening quote of a text that never ends, behind the last value that was read well.
std::optional<std::size_t> openQuote(std::string_view text, std::size_t after) {
  int tries = 0;
  for (std::size_t i = after; i < text.size() && tries < 64; ++i) {
    if (text[i] != '"' && text[i] != '\'') continue;
    const bool begins = i == 0 || std::string_view(" \t\n\r[{,:").find(text[i - 1]) != std::string_view::npos;
    if (!begins) continue;
    if (staysOpen(text, i)) return i;
    ++tries;
  }
  return std::nullopt;
}

}  // namespace

LineIndex::LineIndex(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

std::string_view LineIndex::line(int number) const {
  if (number < 0 || number >= count()) return {};
  const auto begin = starts_[static_cast<std::size_t>(number)];
  const auto end = number + 1 < count() ? starts_[static_cast<std::size_t>(number) + 1] - 1 : text_.size();
  return text_.substr(begin, end - begin);
}

Place LineIndex::place(int number, int byte_column) const {
  const std::string_view content = line(number);
  const std::size_t wanted = std::min(byte_column < 0 ? 0 : static_cast<std::size_t>(byte_column), content.size());
  if (number != last_line_ || wanted < last_byte_) {
    last_line_ = number;
    last_byte_ = 0;
    last_column_ = 1;
  }
  last_column_ += static_cast<int>(characters(content.substr(last_byte_, wanted - last_byte_)));
  last_byte_ = wanted;
  return {number + 1, last_column_};
}

Problem explain(std::string_view text, const LineIndex& lines, const Complaint& complaint, std::size_t after) {
  const auto at = [&](Place place, std::string_view message, std::string_view hint) {
    return Problem{place.line, place.column, std::string(message), std::string(hint)};
  };
  if (complaint.message == "illegal document indicator in scalar" || complaint.message == "illegal EOF in scalar") {
    if (const auto quote = openQuote(text, after))
      return at(placeAt(text, *quote), "a quote that is never closed", "add the closing quote");
  }
  // yaml-cpp stumbles at the tab or a line behind it.
  for (int number : {complaint.line, complaint.line - 1}) {
    if (!indentedByTab(lines.line(number))) continue;
    const auto tab = static_cast<int>(lines.line(number).find('\t'));
    return at(lines.place(number, tab), "a tab in the indentation", "indent with spaces");
  }
  const bool at_end = complaint.line >= lines.count();
  const Place place = at_end ? placeAt(text, text.size()) : lines.place(complaint.line, complaint.column);
  for (const Translation& known : kTranslations) {
    if (complaint.message == known.theirs) return at(place, known.message, known.hint);
  }
  return at(place, "not valid YAML: " + complaint.message, "");
}

}  // namespace ocelot::pipeline::yaml
