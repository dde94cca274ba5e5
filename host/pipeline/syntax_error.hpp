#pragma once
// yaml-cpp's complaints in words that say what to do.

#include <string>
#include <string_view>
#include <vector>

#include "host/pipeline/text_check.hpp"

namespace ocelot::pipeline::yaml {

// From yaml-cpp's marks (lines from 0, columns in bytes) to places (lines from 1, columns in characters).
class LineIndex {
 public:
  explicit LineIndex(std::string_view text);
  // Cheap for places that come in order, also within one very long line.
  Place place(int line, int byte_column) const;
  std::string_view line(int number) const;  // 0-based; "" outside of the text
  int count() const { return static_cast<int>(starts_.size()); }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
  mutable int last_line_ = -1;  // where the last question ended
  mutable std::size_t last_byte_ = 0;
  mutable int last_column_ = 1;
};

struct Complaint {
  std::string message;
  int line = 0;
  int column = 0;
};

// `after`: offset of the last value that was read well.
Problem explain(std::string_view text, const LineIndex& lines, const Complaint& complaint, std::size_t after);

}  // namespace ocelot::pipeline::yaml
