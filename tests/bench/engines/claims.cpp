#include <atomic>
#include <cstdio>

#include "tests/bench/engines/bench.hpp"

namespace ocelot::bench {

void claims(const config::Config& config) {
  constexpr int kBuilds = 1000;
  for (const int claimants : {1, 2, 4, 8}) {
    {
      engines::Engines engines = engines::open(config);
      const auto began = Clock::now();
      accept(*engines.store, kBuilds);
      if (claimants == 1) std::printf("accepted, one after the other: %.0f builds/s\n", kBuilds / secondsSince(began));
    }
    std::atomic<int> claimed{0};
    const double took = inParallel(config, claimants, [&](engines::Engines& engines, int i) {
      const store::Claimant claimant("bench-" + std::to_string(i), "key-" + std::to_string(i));
      while (const auto build = engines.store->claim(claimant, {}, 30'000)) {
        ++claimed;
        store::Finish finish;
        finish.claim = build->claim;
        finish.outcome = {model::BuildState::passed, "", ""};
        engines.store->finish(finish);
      }
    });
    std::printf("%d claimants: %.0f builds/s claimed and ended\n", claimants, claimed / took);
    if (claimed != kBuilds) std::printf("  WRONG: %d of %d were claimed\n", claimed.load(), kBuilds);
  }
}

}  // namespace ocelot::bench
