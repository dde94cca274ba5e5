#pragma once
// A YAML document as a plain tree with line numbers. Built from the parser's events instead of yaml-cpp's nodes,
// because those accept duplicate keys and cyclic aliases (walking one is a crash). Aliases, other tags than !secret,
// more than one document, depth beyond 16 and an unclosed quote at the end (a file cut off) are refused.

#include <string>
#include <vector>

#include "host/config/config.hpp"

namespace ocelot::config {

struct Node {
  enum class Kind { none, scalar, list, map };
  Kind kind = Kind::none;
  std::string key;   // under which it stands in a map
  std::string text;  // of a scalar
  bool secret = false;
  int line = 0;
  std::vector<Node> items;    // of a list
  std::vector<Node> entries;  // of a map, in the order written, each with its key
};

// The root is a map, or none for an empty document. Stops at the first mistake of form, which goes to `problems`.
Node parseYaml(const std::string& text, const std::string& name, std::vector<Problem>& problems);

}  // namespace ocelot::config
