#include "host/pipeline/patterns.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace ocelot::pipeline {

namespace {

RE2::Options options() {
  RE2::Options options;
  options.set_max_mem(64 << 10);  // about 2,700 steps
  options.set_log_errors(false);
  options.set_never_nl(true);
  options.set_never_capture(true);
  return options;
}

constexpr std::size_t kCostOfFailure = 1000;

bool hasUnicodeClass(std::string_view pattern) {
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    ++i;
    if (pattern[i] == 'p' || pattern[i] == 'P') return true;
  }
  return false;
}

}  // namespace

PatternCheck checkPattern(const std::string& pattern) {
  if (pattern.empty()) return {"it is empty", 1};
  if (pattern.size() > kMaxPatternBytes) return {"it is longer than " + std::to_string(kMaxPatternBytes) + " bytes", 1};
  if (pattern == "ALL") return {};
  if (hasUnicodeClass(pattern)) return {"Unicode classes (\\p, \\P) are not available", 1};
  const RE2 expression(pattern, options());
  if (!expression.ok()) return {expression.error(), kCostOfFailure};
  return {"", static_cast<std::size_t>(std::max(expression.ProgramSize(), 1))};
}

bool matchesPattern(const std::string& pattern, std::string_view branch) {
  if (pattern == "ALL") return true;
  if (pattern.empty() || pattern.size() > kMaxPatternBytes || hasUnicodeClass(pattern)) return false;
  const RE2 expression(pattern, options());
  // FullMatch anchors the whole expression, so that `a|b` is (a|b) and not "begins with a, or ends with b".
  return expression.ok() && RE2::FullMatch(re2::StringPiece(branch.data(), branch.size()), expression);
}

bool matchesAnyPattern(const std::vector<std::string>& patterns, std::string_view branch) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matchesPattern(pattern, branch); });
}

}  // namespace ocelot::pipeline
