#pragma once
// How a person writes a value: what the SDK's option_values.hpp does not have.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/option_values.hpp"

namespace ocelot::config {

std::optional<double> parsePercent(std::string_view text);  // "5%", "0.5%": more than 0, at most 100

// " (did you mean "slots"?)", or "".
std::string didYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace ocelot::config
