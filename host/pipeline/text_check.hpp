#pragma once
// Is this a text file that YAML may be read from? Asked before any parser sees the bytes.

#include <string_view>
#include <vector>

#include "host/pipeline/pipeline.hpp"

namespace ocelot::pipeline {

struct Place {
  int line = 1;
  int column = 1;  // in characters, as editors count
};

Place placeAt(std::string_view text, std::size_t offset);

// Length of the valid UTF-8 sequence at the front, 0 when there is none.
std::size_t utf8Length(std::string_view bytes);

std::string_view withoutByteOrderMark(std::string_view bytes);

// Adds what is wrong; false when the file must not be parsed. Refused: more than kMaxFileBytes, UTF-16 and UTF-32,
// bytes that are not UTF-8, control characters, carriage returns without a line feed. Bidirectional overrides are a
// warning: what a reviewer sees is not what runs.
bool checkText(std::string_view bytes, std::vector<Problem>& problems);

}  // namespace ocelot::pipeline
