#pragma once
// "did you mean": the known word nearest to a mistyped one.

#include <string>
#include <string_view>
#include <vector>

namespace ocelot::pipeline {

// Letters to change, add, leave out or swap; differences in case and in `_` and `-` cost nothing. "" when nothing is
// near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace ocelot::pipeline
