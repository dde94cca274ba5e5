#pragma once
// The trigger mini-language of `triggers`: when does a stage run?
//
//   directive := sections { "or" sections }            `and` binds tighter than `or`
//   sections  := section { "and" section }
//   section   := ("\branch" | "\filepath" | "\text") values
//   values    := all { ["||"] all }                    values beside each other mean `||`
//   all       := value { "&&" value }                  `&&` binds tighter than `||`; not in \branch
//   value     := a word | "…" with \" and \\ as escapes
//
// Section names and the words `and` and `or` may be written in any case; as values they need quotes. A line that is not
// of this form is an error with its column: nothing is ever dropped.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/vcs.hpp"

namespace ocelot::pipeline {

inline constexpr std::size_t kMaxDirectiveBytes = 4096;
inline constexpr std::size_t kMaxDirectiveValues = 50;

struct Section {
  enum class Kind { branch, filepath, text };
  Kind kind = Kind::branch;
  std::vector<std::vector<std::string>> any_of;  // one of these, each of which wants all of its values
};

struct Directive {
  std::vector<std::vector<Section>> any_of;

  // branch: the whole name matches the pattern. filepath: part of the path of a changed file; holds when the files are
  // not all known, because running a stage too often is the lesser harm. text: part of the message of a commit.
  bool holds(const Change& change) const;
};

struct DirectiveFault {
  std::size_t column = 1;  // in characters
  std::string message;
  std::string hint;
};

// Fills `fault` when it returns nothing. What its branch patterns cost is added to `pattern_cost` either way.
std::optional<Directive> parseDirective(std::string_view text, DirectiveFault& fault, std::size_t& pattern_cost);

}  // namespace ocelot::pipeline
