#pragma once
// What `ocelot workers add` hands to `ocelot workers join`: all that a machine needs to be a worker of an installation.

#include <map>
#include <string>
#include <string_view>

namespace ocelot::cli {

struct Bundle {
  std::string version;   // of the ocelot that made it
  std::string settings;  // a server.yaml, without what the new machine decides: its address, and where its files lie
  std::map<std::string, std::string> files;  // by plain name: keys, certificates, passwords
};

inline constexpr std::size_t kMostBundleBytes = 4 << 20;

std::string pack(const Bundle& bundle);
// Throws Failure for what `ocelot workers add` cannot have written.
Bundle unpack(std::string_view text);

// The shell command that hands it over, to be pasted on the new machine or piped into a shell there.
std::string pasteable(const Bundle& bundle);

}  // namespace ocelot::cli
