#pragma once
// Finds many byte strings in a stream at once: an Aho-Corasick automaton, and in front of it a skip table (Wu-Manber)
// that passes over text in which nothing begins at several bytes a step. Immutable; [any] thread.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::logs {

class PatternSet {
 public:
  using State = std::uint32_t;
  static constexpr State kRoot = 0;
  static constexpr std::size_t kMinPatternBytes = 4;

  // Every pattern has at least kMinPatternBytes; there is at least one.
  explicit PatternSet(const std::vector<std::string>& patterns);

  State step(State state, unsigned char byte) const;
  // Length of the longest pattern prefix that ends here.
  std::uint32_t depth(State state) const { return nodes_[state].depth; }
  // Length of the longest pattern that ends here; 0: none.
  std::uint32_t matched(State state) const { return nodes_[state].matched; }

  // The first position from `at` at which a pattern may begin. Positions too near to the end of the text to tell are
  // such; text.size() when `at` is there.
  std::size_t skip(std::string_view text, std::size_t at) const;

 private:
  // Children are a list of siblings: nearly every node has just one.
  struct Node {
    State child = kRoot;
    State sibling = kRoot;
    State fail = kRoot;
    std::uint32_t depth = 0;
    std::uint32_t matched = 0;
    unsigned char byte = 0;
  };

  State childOf(State state, unsigned char byte) const;
  void insert(const std::string& pattern);
  void link();
  void fillSkipTable(const std::vector<std::string>& patterns);

  std::vector<Node> nodes_;
  std::array<State, 256> first_{};    // children of the root
  std::size_t window_ = 0;            // bytes looked at: the shortest pattern's length, at most 12
  std::vector<std::uint8_t> shift_;   // by hash of the window's last three bytes: how far nothing can begin
  std::vector<std::uint8_t> begins_;  // by hash of the first four bytes: a pattern begins so
};

}  // namespace ocelot::logs
