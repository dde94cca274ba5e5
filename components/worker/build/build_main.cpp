#include <unistd.h>

#include <iostream>
#include <iterator>
#include <string>

#include "components/worker/build/build_process.hpp"
#include "components/worker/build/main.hpp"
#include "host/runtimes/loaded_runtime.hpp"

namespace ocelot::worker {

int buildMain(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: ocelot-worker build DIRECTORY RUN_DIRECTORY   (its envelope on standard input)\n";
    return 2;
  }
  try {
    std::string line;
    if (!::isatty(0)) std::getline(std::cin, line);
    const auto envelope = line.empty() ? builddir::Envelope{} : builddir::decodeEnvelope(line);
    const builddir::Directory directory(argv[0], argv[1]);
    const auto spec = builddir::readIfPresent(directory.spec());
    if (!spec) {
      std::cerr << "build: there is no " << directory.spec() << "\n";
      return 2;
    }
    const auto order = builddir::decodeOrder(*spec);
    runtimes::LoadedRuntime runtime(order.runtime);
    switch (BuildProcess(directory, order, envelope, runtime.get()).run().state) {
      case model::BuildState::passed:
        return 0;
      case model::BuildState::failed:
      case model::BuildState::timed_out:
        return 1;
      case model::BuildState::canceled:
        return 3;
      default:
        return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "build: " << error.what() << "\n";
    return 2;
  }
}

}  // namespace ocelot::worker
