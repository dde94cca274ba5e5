#include "components/cli/repo_here.hpp"

#include <Poco/JSON/Array.h>

#include <iostream>

namespace ocelot::cli {
namespace {

// A checkout without an origin is its own repository.
std::string urlOf(const Checkout& here) { return here.origin.empty() ? here.root : here.origin; }

// git@host:a/b.git, ssh://git@host/a/b and https://host/a/b are one place.
std::string placeOf(std::string url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string::npos) {
    url.erase(0, scheme + 3);
  } else if (const std::size_t colon = url.find(':'); colon != std::string::npos && url[0] != '/') {
    url[colon] = '/';
  }
  const std::size_t at = url.find('@');
  if (at != std::string::npos && at < url.find('/')) url.erase(0, at + 1);
  while (!url.empty() && url.back() == '/') url.pop_back();
  if (url.size() > 4 && url.compare(url.size() - 4, 4, ".git") == 0) url.resize(url.size() - 4);
  return url;
}

}  // namespace

std::string repoHere(Server& server, const Checkout& here) {
  const std::string place = placeOf(urlOf(here));
  const auto repos = server.get("/v1/repos")->getArray("repos");
  for (unsigned i = 0; i < repos->size(); ++i)
    if (placeOf(str(repos->getObject(i), "url")) == place) return str(repos->getObject(i), "name");
  return "";
}

std::string chosenRepo(Server& server, const std::string& given) {
  if (!given.empty()) return given;
  const auto here = lookAround();
  const std::string name = here ? repoHere(server, *here) : "";
  if (name.empty()) throw Usage("name the repository, or run this inside of its checkout");
  return name;
}

std::string repoPath(const std::string& repo) { return "/v1/repos/" + http::encode(repo); }

std::string repoHereOrAdd(Server& server, const Checkout& here) {
  const std::string known = repoHere(server, here);
  if (!known.empty()) return known;
  const Json added = server.post("/v1/repos", jsonOf({{"url", urlOf(here)}}));
  std::cerr << "added repository " << str(added, "name") << " (" << str(added, "url") << ")\n";
  return str(added, "name");
}

}  // namespace ocelot::cli
