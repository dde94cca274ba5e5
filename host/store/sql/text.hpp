#pragma once
// Text on its way into a database, and lists inside one parameter.

#include <string>
#include <string_view>
#include <vector>

namespace ocelot::store {

// Both engines cut text at NUL in silence and PostgreSQL refuses bad UTF-8; a commit message may hold either. Each
// offending byte becomes U+FFFD; everything else is kept.
std::string validText(std::string_view text);

// The first `bytes` of it at most, cut between two characters.
std::string cutText(std::string_view text, std::size_t bytes);

// ["a","b"]: a list as one parameter, for Dialect::inList.
std::string jsonList(const std::vector<std::string>& items);

}  // namespace ocelot::store
