#include "tests/bench/engines/bench.hpp"

#include <algorithm>
#include <barrier>
#include <thread>

namespace ocelot::bench {

double inParallel(const config::Config& config, int threads, const std::function<void(engines::Engines&, int)>& work) {
  std::barrier ready(threads + 1);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i)
    running.emplace_back([&, i] {
      engines::Engines engines = engines::open(config);
      engines.store->ping();
      ready.arrive_and_wait();
      work(engines, i);
    });
  ready.arrive_and_wait();
  const auto began = Clock::now();
  for (std::thread& thread : running) thread.join();
  return secondsSince(began);
}

void accept(store::Store& store, int builds) {
  store::Build build;
  build.repo = "account/repo";
  build.branch = "main";
  build.commit = "0123456789abcdef0123456789abcdef01234567";
  build.pipeline = "image: busybox\nstages:\n  - name: it\n    script: 'true'\n";
  for (int i = 0; i < builds; ++i) store.accept(build, "");
}

double quantile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace ocelot::bench
