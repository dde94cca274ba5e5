#pragma once
// YAML as a tree of values with their places, built within bounds: the only door to yaml-cpp for an ocelot.yml.
//
// Rationale: yaml-cpp's own nodes accept duplicate keys, follow a self-reference until the stack ends and expand ten
// lines of aliases to billions of nodes. Its event interface does none of that, so the tree is built from events and
// each bound is checked before anything is allocated for what lies beyond it.
//
// Scalars keep the text as written (`012` stays "012", `yes` stays "yes"). Merge keys (`<<`) are applied. Keys are
// text.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/pipeline/pipeline.hpp"

namespace ocelot::pipeline::yaml {

inline constexpr int kMaxDepth = 50;
inline constexpr int kMaxAliases = 100;
inline constexpr std::size_t kMaxNodes = 10000;
inline constexpr std::size_t kMaxExpandedNodes = 50000;     // aliases counted with what they stand for
inline constexpr std::size_t kMaxExpandedBytes = 1u << 20;  // likewise, of text
inline constexpr std::size_t kMaxScalarBytes = 64u << 10;

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
  std::string key;
  int line = 0;  // of the key
  int column = 0;
  NodePtr value;
};

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  int line = 0;
  int column = 0;
  std::string text;            // scalar
  std::vector<NodePtr> items;  // list
  std::vector<Entry> entries;  // map, in the order of the file; merged ones last

  std::size_t expanded_nodes = 1;  // this node and all below it
  std::size_t expanded_bytes = 0;
};

// The document, or null after adding what is wrong. A syntax error ends the reading; duplicate keys are all reported.
NodePtr parse(std::string_view text, std::vector<Problem>& problems);

}  // namespace ocelot::pipeline::yaml
