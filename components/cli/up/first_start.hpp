#pragma once
// What a first `ocelot up` makes: folders, keys, an admin's token, and the context by which the command line finds all
// that.

#include <string>

#include "components/cli/up/installation.hpp"

namespace ocelot::cli {

struct Made {
  bool token = false;  // a token was made and remembered
  std::string context;
};

// Safe to run again: makes what is missing.
Made makeReady(const Installation& installation, const std::string& url);

}  // namespace ocelot::cli
