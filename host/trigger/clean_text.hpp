#pragma once
// Text from a repository, fit for every store: valid UTF-8 without NUL.

#include <string>
#include <string_view>

namespace ocelot::trigger {

// At most `most` bytes, cut between characters; bytes that are not UTF-8, and NUL, become U+FFFD.
std::string cleanText(std::string_view text, std::size_t most);

}  // namespace ocelot::trigger
