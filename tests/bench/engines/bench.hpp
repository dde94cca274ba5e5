#pragma once
// What the measurements share. Each opens the engines anew for every thread, as if it were a daemon of its own.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/engines/engines.hpp"

namespace ocelot::bench {

using Clock = std::chrono::steady_clock;

inline double secondsSince(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

// Runs `work` in so many threads, each with engines of its own, and returns how long it took, opening them apart.
double inParallel(const config::Config& config, int threads, const std::function<void(engines::Engines&, int)>& work);

// Puts builds of the topic "build" into the store.
void accept(store::Store& store, int builds);

// The value below which that share of them lies. `values` is sorted by it.
double quantile(std::vector<double>& values, double share);

// Claims a second, with 1, 2, 4 and 8 claimants.
void claims(const config::Config& config);
// From accepting a build to its claim by a worker that waits for a wake-up.
void wakeUps(const config::Config& config);
// What 1000 workers of four builds each cost the store and the register every five seconds.
void heartbeats(const config::Config& config);

}  // namespace ocelot::bench
