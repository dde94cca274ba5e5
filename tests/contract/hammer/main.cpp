// Accepts builds as fast as it can, from several threads, and runs what it can claim; every accepted id is printed
// after its accept() returned. Started many at a time, and killed, by the store's contract.
//
//   contract-store-hammer FOLDER THREADS BUILDS     BUILDS per thread; 0: until killed
//
// Exit status 1, with the message, when anything at all was thrown.

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "host/store/store.hpp"

namespace {

using namespace ocelot;

void say(const std::string& line) {
  const std::string whole = line + "\n";
  // One write: lines of several threads do not mix, and a line that was written is whole.
  if (::write(1, whole.data(), whole.size()) < 0) std::_Exit(2);
}

void work(store::Store& store, int builds, const std::string& worker) {
  for (int i = 0; builds == 0 || i < builds; ++i) {
    store::Build build;
    build.repo = "account/repo";
    build.branch = "main";
    build.commit = "0123456789abcdef0123456789abcdef01234567";
    say(store.accept(build, "").id);
    const auto claimed = store.claim(worker, {}, 30'000);
    if (!claimed) continue;
    store.appendLog(claimed->claim, 0, "a line\n");
    store.renew({claimed->claim}, 30'000);
    store.builds({});
    store::Finish finish;
    finish.claim = claimed->claim;
    finish.outcome = {model::BuildState::passed, "", ""};
    store.finish(finish);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  store::StoreSettings settings;
  settings.path = argv[1];
  std::atomic<bool> failed{false};
  try {
    const auto store = store::open(settings);
    store->migrate();
    std::vector<std::thread> threads;
    for (int i = 0; i < std::atoi(argv[2]); ++i)
      threads.emplace_back([&, i] {
        try {
          work(*store, std::atoi(argv[3]), "worker-" + std::to_string(::getpid()) + "-" + std::to_string(i));
        } catch (const std::exception& error) {
          failed = true;
          std::cerr << error.what() << std::endl;
        }
      });
    for (auto& thread : threads) thread.join();
  } catch (const std::exception& error) {
    failed = true;
    std::cerr << error.what() << std::endl;
  }
  return failed ? 1 : 0;
}
