#pragma once
// A Change as JSON, as Build.change_json holds it: what stage triggers are judged by when the build runs, maybe days
// and a restart later.

#include <string>
#include <string_view>

#include "ocelot/vcs.hpp"

namespace ocelot::trigger {

inline constexpr std::size_t kMaxChangeJsonBytes = 2u << 20;

// Never longer than kMaxChangeJsonBytes: files that do not fit are left out and files_complete becomes false; messages
// that do not fit are left out from the first on. Bytes that are not UTF-8, and NUL, become U+FFFD. The repo's URL is
// left out: it may hold a credential, and no trigger asks for it.
std::string toJson(const Change& change);

// Throws std::invalid_argument naming what is wrong. "" is a Change of kind manual whose files are unknown.
Change changeFromJson(std::string_view json);

}  // namespace ocelot::trigger
