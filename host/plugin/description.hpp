#pragma once
// What a plugin says about itself, as plain values: read from a loaded one, or from the answer of a child process that
// loaded it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::plugin {

enum class Kind { runtime, vcs, notifier };
std::string_view nameOf(Kind kind);  // "runtime", "vcs", "notifier"
std::optional<Kind> kindFrom(std::string_view name);

struct Option {
  std::string key;
  int type = 0;        // OCELOT_TEXT, …
  unsigned flags = 0;  // OCELOT_REQUIRED | OCELOT_SECRET
  std::optional<std::string> fallback;
  std::string help;
};

struct Description {
  std::string id, version, summary;
  int abi_minor = 0;                    // of ABI 1
  std::vector<std::string> interfaces;  // "ocelot.runtime/1", "ocelot.runtime.images/1"
  std::vector<Option> options;
  bool offers(Kind kind) const;
};

}  // namespace ocelot::plugin
