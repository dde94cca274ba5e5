#pragma once
// Branch patterns: RE2 expressions that must match the whole name, or the word ALL. RE2 takes linear time whatever the
// pattern; it has neither look-around nor back-references. Unicode classes (\pL) are refused: one takes as long to
// compile as a hundred letters.

#include <string>
#include <string_view>
#include <vector>

namespace ocelot::pipeline {

inline constexpr std::size_t kMaxPatterns = 50;
inline constexpr std::size_t kMaxPatternBytes = 512;
// Of all patterns of a file together: what keeps the reading of a hostile file within milliseconds. An ordinary pattern
// costs 20 to 100, the most costly one that is accepted 2,700.
inline constexpr std::size_t kMaxPatternCost = 40000;

struct PatternCheck {
  std::string fault;     // "" when the pattern can be used, else why not, mostly in RE2's words
  std::size_t cost = 1;  // steps of the compiled program; for one that cannot be used, what it took to find that out
};
PatternCheck checkPattern(const std::string& pattern);

// A pattern with a fault matches nothing.
bool matchesPattern(const std::string& pattern, std::string_view branch);
bool matchesAnyPattern(const std::vector<std::string>& patterns, std::string_view branch);

}  // namespace ocelot::pipeline
