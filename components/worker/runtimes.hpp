#pragma once
// The configured runtimes, in order of preference, and which of them builds can run in now. A runtime that is away is
// asked again; while none answers the worker takes no builds and says why.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "components/worker/nursery.hpp"

namespace ocelot::worker {

// [any] thread.
class Runtimes {
 public:
  Runtimes(std::string program, const std::vector<builddir::RuntimeChoice>& choices);

  // Asks every runtime that is not known to be well. Slow: starts nurseries and talks to engines.
  void look();
  // The first usable one; nullptr: none, and whyNone() says why.
  std::shared_ptr<Nursery> choose() const;
  std::string whyNone() const;
  // The runtime of this name, usable or not: for a build that began in it.
  std::shared_ptr<Nursery> find(const std::string& name) const;
  // A build could not be started: ask again before the next.
  void suspect(const std::string& name, const std::string& why);
  const std::vector<std::shared_ptr<Nursery>>& all() const { return nurseries_; }
  RuntimeFacts facts(std::size_t index) const;

 private:
  std::vector<std::shared_ptr<Nursery>> nurseries_;  // does not change
  mutable std::mutex mutex_;                         // guards facts_
  std::vector<RuntimeFacts> facts_;
};

}  // namespace ocelot::worker
