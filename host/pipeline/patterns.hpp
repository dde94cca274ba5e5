#pragma once
// Branch patterns: RE2 expressions that must match the whole name, or the word ALL. RE2 takes linear time whatever the
// pattern; it has neither look-around nor back-references.

#include <string>
#include <string_view>
#include <vector>

namespace ocelot::pipeline {

inline constexpr std::size_t kMaxPatterns = 50;
inline constexpr std::size_t kMaxPatternBytes = 512;

// "" when the pattern can be used, else why not, in RE2's words.
std::string patternFault(const std::string& pattern);

// A pattern with a fault matches nothing.
bool matchesPattern(const std::string& pattern, std::string_view branch);
bool matchesAnyPattern(const std::vector<std::string>& patterns, std::string_view branch);

}  // namespace ocelot::pipeline
