#pragma once
// Which route a path means.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/server.hpp"

namespace ocelot::http {

struct Match {
  const Route* route = nullptr;
  std::map<std::string, std::string> params;
  std::string allowed;  // "GET, POST": what the path has when the method is none of them; "": no such path
};

// The routes made ready for looking up; they must outlive it. [any] thread.
class Matcher {
 public:
  explicit Matcher(const std::vector<Route>& routes);
  // Throws BadMessage for a path that is badly encoded or climbs ("..").
  Match find(std::string_view method, std::string_view path) const;

 private:
  struct Entry {
    const Route* route;
    std::vector<std::string> segments;
  };
  std::vector<Entry> entries_;  // the more literal pattern first
};

// The pattern's segments; throws std::logic_error when it is none.
std::vector<std::string> patternSegments(std::string_view pattern);

}  // namespace ocelot::http
