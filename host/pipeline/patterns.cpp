#include "host/pipeline/patterns.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace ocelot::pipeline {

namespace {

RE2::Options options() {
  RE2::Options options;
  options.set_max_mem(1 << 20);
  options.set_log_errors(false);
  options.set_never_nl(true);
  options.set_never_capture(true);
  return options;
}

}  // namespace

std::string patternFault(const std::string& pattern) {
  if (pattern.empty()) return "it is empty";
  if (pattern.size() > kMaxPatternBytes) return "it is longer than " + std::to_string(kMaxPatternBytes) + " bytes";
  if (pattern == "ALL") return "";
  const RE2 expression(pattern, options());
  return expression.ok() ? "" : expression.error();
}

bool matchesPattern(const std::string& pattern, std::string_view branch) {
  if (pattern == "ALL") return true;
  if (pattern.empty() || pattern.size() > kMaxPatternBytes) return false;
  const RE2 expression(pattern, options());
  // FullMatch anchors the whole expression, so that `a|b` is (a|b) and not "begins with a, or ends with b".
  return expression.ok() && RE2::FullMatch(re2::StringPiece(branch.data(), branch.size()), expression);
}

bool matchesAnyPattern(const std::vector<std::string>& patterns, std::string_view branch) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matchesPattern(pattern, branch); });
}

}  // namespace ocelot::pipeline
