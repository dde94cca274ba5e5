#pragma once
// Completions for shells, written from the commands' rows.

#include <string>

namespace ocelot::cli {

// "bash", "zsh" or "fish"; "" for another one.
std::string completionFor(const std::string& shell);

}  // namespace ocelot::cli
