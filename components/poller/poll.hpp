#pragma once
// One look at one repository: which branches moved since the last, and a build for each.

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "host/engines/engines.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::poller {

// branch → commit, as kept with the repo.
using Heads = std::map<std::string, std::string>;
Heads headsFromJson(const std::string& json);  // what cannot be read counts as nothing seen
std::string toJson(const Heads& heads);

// Of all heads, those of branches that are asked for ("ALL", or a comma list).
Heads wanted(const Heads& heads, const std::string& branches);

// What failed, and when it is worth another try: at the next look, then after pauses that grow from half a minute to an
// hour.
struct Failures {
  using Clock = std::chrono::steady_clock;
  void add(Clock::time_point now = Clock::now());
  int count = 0;
  Clock::time_point again;
};

// A branch's commit that could not be built.
struct Unbuilt : Failures {
  std::string commit;
  std::string why;
};
using UnbuiltBranches = std::map<std::string, Unbuilt>;

// Runs what it is given with the repo's provider.
using Lend = std::function<void(const std::function<void(Vcs&)>&)>;

// Asks the repo for its heads and submits a build for every branch that moved. The first look only remembers: a
// repository that is added does not have all its branches built. A branch whose build could not be written stays as it
// was, so that a later look tries again; one bad branch stops no other, and is told as the repo's trouble. `unbuilt` is
// kept from look to look. Returns how many builds were accepted.
int pollOnce(Call& call, engines::Engines& engines, const Lend& lend, const model::Repo& repo,
             UnbuiltBranches& unbuilt);

}  // namespace ocelot::poller
