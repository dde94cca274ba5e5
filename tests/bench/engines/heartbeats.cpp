#include <sys/resource.h>

#include <cstdio>

#include "tests/bench/engines/bench.hpp"

namespace ocelot::bench {
namespace {

constexpr int kWorkers = 1000, kBuildsEach = 4, kThreads = 4, kRounds = 3;
constexpr double kEvery = 5;  // seconds between two heartbeats of a worker

struct Simulated {
  discovery::Worker row;
  std::vector<store::Claim> claims;
};

std::vector<Simulated> simulate(store::Store& store) {
  accept(store, kWorkers * kBuildsEach);
  std::vector<Simulated> workers(kWorkers);
  for (int i = 0; i < kWorkers; ++i) {
    Simulated& one = workers[static_cast<std::size_t>(i)];
    one.row.id = "bench-worker-" + std::to_string(i);
    one.row.name = one.row.id;
    one.row.url = "http://10.0.0.1:7701";
    one.row.slots = kBuildsEach;
    one.row.version = OCELOT_VERSION;
    for (int k = 0; k < kBuildsEach; ++k)
      if (const auto claimed = store.claim({one.row.id, "key"}, {}, 600'000)) one.claims.push_back(claimed->claim);
  }
  return workers;
}

double processorSeconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace

void heartbeats(const config::Config& config) {
  engines::Engines engines = engines::open(config);
  std::vector<Simulated> workers = simulate(*engines.store);
  std::vector<double> rounds;
  const double processor = processorSeconds();
  for (int round = 0; round < kRounds; ++round)
    rounds.push_back(inParallel(config, kThreads, [&](engines::Engines& own, int i) {
      for (std::size_t k = static_cast<std::size_t>(i); k < workers.size(); k += kThreads) {
        own.discovery->announce(workers[k].row);
        const auto renewed = own.store->renew(workers[k].claims, 600'000);
        if (renewed.size() != workers[k].claims.size()) std::printf("  WRONG: a lease was not renewed\n");
      }
    }));
  const double round = quantile(rounds, 0.5);
  std::printf(
      "%d workers, %d builds each: %.2f s for a heartbeat of all, %.0f %% of the %.0f s between two; here %.2f s of "
      "processor\n",
      kWorkers, kBuildsEach, round, round / kEvery * 100, kEvery, (processorSeconds() - processor) / kRounds);
  const auto began = Clock::now();
  const std::size_t there = engines.discovery->workers().size();
  std::printf("list of %zu workers: %.1f ms\n", there, secondsSince(began) * 1000);
}

}  // namespace ocelot::bench
