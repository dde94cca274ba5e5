#pragma once
// The generic push, for whatever has no provider of its own:
//   {"branch": "main", "commit": "<40 or 64 hex>" (optional: the branch's head), "before": "<hex>" (optional)}

#include <string>

namespace ocelot::hookhandler {

struct Push {
  std::string branch, commit, before;
};

// Throws ocelot::Error(invalid) naming what is wrong.
Push readPush(const std::string& body);

}  // namespace ocelot::hookhandler
