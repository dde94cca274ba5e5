#pragma once
// How long each repo's builds stay: what the `keep` of its own ocelot.yml asks for.

#include <map>
#include <string>
#include <vector>

#include "host/store/store.hpp"

namespace ocelot::admin {

// For one thread. Reads a pipeline once, however often it is asked.
class Keeping {
 public:
  // By the newest build of each repo that has a readable ocelot.yml. Pull requests have no say: they are not the
  // repo's own word, and could remove its history.
  std::vector<store::RepoRetention> wishes(store::Store& store);

 private:
  struct Known {
    std::int64_t number = 0;  // of the build that it was read from
    store::RepoRetention wish;
  };
  std::map<std::string, Known> known_;  // by repo
};

}  // namespace ocelot::admin
