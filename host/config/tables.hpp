#pragma once
// Looking things up in the option tables.

#include <string>
#include <string_view>
#include <vector>

#include "host/config/config.hpp"

namespace ocelot::config {

const ocelot_option* findOption(std::string_view key);  // nullptr: no such key
bool isSection(std::string_view key);                   // "worker", "plugins", and also "plugins.vcs" and its like
std::vector<std::string> allKeys();

// "plugins.vcs.github.url" → {"vcs", "github", "url"}; empty kind when the key is none of an instance.
struct InstanceKey {
  std::string kind, name, option;
};
InstanceKey instanceKey(std::string_view key);

// What is wrong with this value for that row, "" when nothing: "must be a whole number, not "many"".
std::string faultOf(const ocelot_option& option, const Value& value);

std::vector<std::string> splitList(std::string_view text);  // at commas, blanks around items dropped

}  // namespace ocelot::config
