#include "host/http/match.hpp"

#include <algorithm>
#include <stdexcept>

#include "host/http/head.hpp"

namespace ocelot::http {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  path.remove_prefix(1);
  for (;;) {
    const auto slash = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, slash));
    if (slash == path.size()) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool isParam(const std::string& segment) { return segment.front() == '{'; }
bool isRest(const std::string& segment) {
  return segment.size() > 3 && segment.compare(segment.size() - 2, 2, "*}") == 0;
}

std::string paramName(const std::string& segment) {
  return segment.substr(1, segment.size() - (isRest(segment) ? 3 : 2));
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
          std::map<std::string, std::string>& params) {
  params.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!pattern[i].empty() && isRest(pattern[i])) {
      std::string rest;
      for (std::size_t j = i; j < path.size(); ++j) rest += (j > i ? "/" : "") + path[j];
      params[paramName(pattern[i])] = rest;
      return i < path.size();
    }
    if (i >= path.size()) return false;
    if (!pattern[i].empty() && isParam(pattern[i])) {
      if (path[i].empty()) return false;
      params[paramName(pattern[i])] = path[i];
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return pattern.size() == path.size();
}

// The pattern without its parameters' names; those sort behind every literal segment.
std::vector<std::string> shapeOf(std::string_view pattern) {
  auto segments = patternSegments(pattern);
  for (std::string& segment : segments) {
    if (!segment.empty() && isParam(segment)) segment = isRest(segment) ? "\x7f*" : "\x7f";
  }
  return segments;
}

}  // namespace

std::vector<std::string> patternSegments(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/')
    throw std::logic_error("a pattern begins with /: " + std::string(pattern));
  auto segments = split(pattern);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string& segment = segments[i];
    const bool braces = segment.find_first_of("{}*") != std::string::npos;
    const bool param = segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
    if (braces && !param) throw std::logic_error("a parameter is a whole segment: " + std::string(pattern));
    if (param && isRest(segment) && i + 1 < segments.size())
      throw std::logic_error("{rest*} comes last: " + std::string(pattern));
  }
  return segments;
}

// "/builds/latest" may stand beside "/builds/{id}": the more literal one is tried first.
Matcher::Matcher(const std::vector<Route>& routes) {
  for (const Route& route : routes) entries_.push_back({&route, patternSegments(route.pattern)});
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return shapeOf(a.route->pattern) < shapeOf(b.route->pattern);
  });
}

Match Matcher::find(std::string_view method, std::string_view path) const {
  std::vector<std::string> segments;
  for (const std::string& raw : split(path)) {
    const auto segment = percentDecode(raw, false);
    if (!segment) throw BadMessage{400, "the path is badly encoded"};
    if (*segment == "." || *segment == "..") throw BadMessage{400, "the path must not climb"};
    segments.push_back(*segment);
  }
  Match found;
  for (const Entry& entry : entries_) {
    std::map<std::string, std::string> params;
    if (!fits(entry.segments, segments, params)) continue;
    if (found.allowed.find(entry.route->method) == std::string::npos) {
      found.allowed += (found.allowed.empty() ? "" : ", ") + entry.route->method;
    }
    if (found.route || entry.route->method != method) continue;
    found.route = entry.route;
    found.params = std::move(params);
  }
  return found;
}

void Routes::add(Route route) {
  static const char* const kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  if (std::none_of(std::begin(kMethods), std::end(kMethods),
                   [&](const char* known) { return route.method == known; })) {
    throw std::logic_error("not a method: " + route.method);
  }
  if (!route.handler) throw std::logic_error("no handler: " + route.pattern);
  for (const Route& other : routes_) {
    if (other.method == route.method && shapeOf(other.pattern) == shapeOf(route.pattern)) {
      throw std::logic_error("the same route twice: " + route.method + " " + route.pattern);
    }
  }
  routes_.push_back(std::move(route));
}

void Routes::get(std::string pattern, Role role, Handler handler) {
  add({"GET", std::move(pattern), role, std::move(handler)});
}
void Routes::post(std::string pattern, Role role, Handler handler) {
  add({"POST", std::move(pattern), role, std::move(handler)});
}
void Routes::del(std::string pattern, Role role, Handler handler) {
  add({"DELETE", std::move(pattern), role, std::move(handler)});
}

}  // namespace ocelot::http
