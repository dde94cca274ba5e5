#include <atomic>
#include <cstdio>
#include <semaphore>
#include <thread>

#include "tests/bench/engines/bench.hpp"

namespace ocelot::bench {

void wakeUps(const config::Config& config) {
  constexpr int kBuilds = 300, kWarmUp = 20;
  engines::Engines admin = engines::open(config), worker = engines::open(config);
  std::atomic<bool> over{false};
  std::binary_semaphore taken(0);
  std::thread waiting([&] {
    const store::Claimant claimant("bench", "key");
    while (!over) {
      while (const auto build = worker.store->claim(claimant, {}, 30'000)) taken.release();
      worker.queue->wait({queue::topicFor("")}, std::chrono::milliseconds(1000));
    }
  });
  std::vector<double> to_accepted, to_claimed;
  for (int i = 0; i < kBuilds + kWarmUp; ++i) {
    const auto began = Clock::now();
    accept(*admin.store, 1);
    const double accepted = secondsSince(began) * 1000;
    admin.queue->publish(queue::topicFor(""));
    taken.acquire();
    if (i < kWarmUp) continue;
    to_accepted.push_back(accepted);
    to_claimed.push_back(secondsSince(began) * 1000 - accepted);
  }
  over = true;
  worker.queue->wakeUp();
  waiting.join();
  std::printf("accepted: %.2f ms (median), %.2f ms (99 %%)\n", quantile(to_accepted, 0.5), quantile(to_accepted, 0.99));
  std::printf("published until claimed: %.2f ms (median), %.2f ms (99 %%)\n", quantile(to_claimed, 0.5),
              quantile(to_claimed, 0.99));
}

}  // namespace ocelot::bench
