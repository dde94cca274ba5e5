#pragma once
// What the git working copy around us says: its origin, branch and commits.

#include <optional>
#include <string>

namespace ocelot::cli {

struct Checkout {
  std::string root;
  std::string origin;  // URL; "" : it has none
  std::string branch;  // "" : detached
  std::string head;
  std::string pushed;  // head of origin/<branch> as last seen; "" : never pushed
  int ahead = 0;       // commits of HEAD that are not pushed
  bool dirty = false;
};

// nullopt: we are in no git working copy. Throws Error when git is missing.
std::optional<Checkout> lookAround();

}  // namespace ocelot::cli
