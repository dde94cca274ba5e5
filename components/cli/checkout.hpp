#pragma once
// What the git working copy around us says: its origin, branch and commits.

#include <optional>
#include <string>
#include <vector>

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

// What git says in this folder, without its last line end; nullopt when it ends with an error. Throws Error when git is
// missing.
std::optional<std::string> git(const std::string& folder, const std::vector<std::string>& arguments);

// nullopt: we are in no git working copy. Throws Error when git is missing.
std::optional<Checkout> lookAround();

}  // namespace ocelot::cli
