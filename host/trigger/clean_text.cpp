#include "host/trigger/clean_text.hpp"

#include "host/pipeline/text_check.hpp"

namespace ocelot::trigger {

std::string cleanText(std::string_view text, std::size_t most) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = pipeline::utf8Length(text.substr(at));
    const bool good = length > 0 && text[at] != '\0';
    const std::string_view next = good ? text.substr(at, length) : kReplacement;
    if (out.size() + next.size() > most) break;
    out += next;
    at += good ? length : 1;
  }
  return out;
}

}  // namespace ocelot::trigger
