// bench-engines claims|wake-ups|heartbeats [KEY=VALUE…]: one measurement on the engines that these keys of server.yaml,
// and the environment, name. They are left full of builds: give it engines of its own.

#include <algorithm>
#include <iostream>

#include "tests/bench/engines/bench.hpp"

int main(int argc, char** argv) {
  using namespace ocelot;
  const std::string what = argc > 1 ? argv[1] : "";
  try {
    const auto config = config::load("", config::processEnvironment(), {argv + std::min(argc, 2), argv + argc});
    engines::open(config).store->migrate();
    if (what == "claims") return bench::claims(config), 0;
    if (what == "wake-ups") return bench::wakeUps(config), 0;
    if (what == "heartbeats") return bench::heartbeats(config), 0;
  } catch (const std::exception& error) {
    std::cerr << "bench-engines: " << error.what() << "\n";
    return 1;
  }
  std::cerr << "usage: bench-engines claims|wake-ups|heartbeats [KEY=VALUE…]\n";
  return 2;
}
