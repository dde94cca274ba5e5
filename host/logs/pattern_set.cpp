#include "host/logs/pattern_set.hpp"

#include <algorithm>
#include <cstring>

namespace ocelot::logs {

namespace {

constexpr std::size_t kBlock = 3;
constexpr std::size_t kMaxWindow = 12;
constexpr unsigned kShiftBits = 15;
constexpr unsigned kBeginBits = 16;

std::uint32_t hashBlock(const char* at) {
  // Two overlapping loads instead of one of four bytes: the block may be the last of the text.
  std::uint16_t low = 0, high = 0;
  std::memcpy(&low, at, 2);
  std::memcpy(&high, at + 1, 2);
  return ((static_cast<std::uint32_t>(low) << 8 ^ high) * 0x9e3779b1u) >> (32 - kShiftBits);
}

std::uint32_t hashBegin(const char* at) {
  std::uint32_t four = 0;
  std::memcpy(&four, at, 4);
  return (four * 0x85ebca6bu) >> (32 - kBeginBits);
}

}  // namespace

PatternSet::PatternSet(const std::vector<std::string>& patterns) {
  nodes_.emplace_back();
  for (const std::string& pattern : patterns) insert(pattern);
  link();
  fillSkipTable(patterns);
}

PatternSet::State PatternSet::childOf(State state, unsigned char byte) const {
  if (state == kRoot) return first_[byte];
  for (State child = nodes_[state].child; child != kRoot; child = nodes_[child].sibling) {
    if (nodes_[child].byte == byte) return child;
  }
  return kRoot;
}

void PatternSet::insert(const std::string& pattern) {
  State state = kRoot;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    State next = childOf(state, byte);
    if (next == kRoot) {
      next = static_cast<State>(nodes_.size());
      Node node;
      node.byte = byte;
      node.depth = nodes_[state].depth + 1;
      node.sibling = nodes_[state].child;
      nodes_.push_back(node);
      nodes_[state].child = next;
      if (state == kRoot) first_[byte] = next;
    }
    state = next;
  }
  nodes_[state].matched = nodes_[state].depth;
}

// Breadth first, so that a node's fail link, which is shorter, is ready before the node.
void PatternSet::link() {
  std::vector<State> order;
  order.reserve(nodes_.size());
  order.push_back(kRoot);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const State parent = order[i];
    for (State child = nodes_[parent].child; child != kRoot; child = nodes_[child].sibling) {
      Node& node = nodes_[child];
      node.fail = parent == kRoot ? kRoot : step(nodes_[parent].fail, node.byte);
      node.matched = std::max(node.matched, nodes_[node.fail].matched);
      order.push_back(child);
    }
  }
}

PatternSet::State PatternSet::step(State state, unsigned char byte) const {
  for (;;) {
    const State next = childOf(state, byte);
    if (next != kRoot || state == kRoot) return next;
    state = nodes_[state].fail;
  }
}

void PatternSet::fillSkipTable(const std::vector<std::string>& patterns) {
  window_ = kMaxWindow;
  for (const std::string& pattern : patterns) window_ = std::min(window_, pattern.size());
  const std::size_t furthest = window_ - kBlock + 1;
  shift_.assign(std::size_t{1} << kShiftBits, static_cast<std::uint8_t>(furthest));
  begins_.assign(std::size_t{1} << kBeginBits, 0);
  for (const std::string& pattern : patterns) {
    begins_[hashBegin(pattern.data())] = 1;
    for (std::size_t end = kBlock; end <= window_; ++end) {
      std::uint8_t& shift = shift_[hashBlock(pattern.data() + end - kBlock)];
      shift = std::min(shift, static_cast<std::uint8_t>(window_ - end));
    }
  }
}

std::size_t PatternSet::skip(std::string_view text, std::size_t at) const {
  const char* const data = text.data();
  while (at + window_ <= text.size()) {
    const std::uint8_t shift = shift_[hashBlock(data + at + window_ - kBlock)];
    if (shift != 0) {
      at += shift;
    } else if (begins_[hashBegin(data + at)] != 0) {
      return at;
    } else {
      ++at;
    }
  }
  return std::min(at, text.size());
}

}  // namespace ocelot::logs
