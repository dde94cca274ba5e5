#pragma once
// Runs the daemons of one machine in the foreground: starts them in order, starts again what ends, and on TERM or
// Ctrl-C lets them drain; a second one makes them stop at once. Killed itself, it takes the daemons with it: the builds
// go on, and the next worker takes them up again.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/process/child.hpp"

namespace ocelot::cli {

struct Supervised {
  std::string name;  // "worker"
  std::string program;
  std::vector<std::string> arguments;
  std::string log_file;
  std::string address;  // "127.0.0.1:7700": accepts connections once it is up
};

class Supervisor {
 public:
  // `say` gets one line a happening.
  Supervisor(std::vector<Supervised> daemons, std::function<void(const std::string&)> say);

  // Throws Failure when something else listens already where a daemon of ours is to.
  void refuseTakenPorts() const;
  // Starts all and waits until each answers. Throws Failure naming the daemon, its last words and its log. false: asked
  // to end meanwhile; run() does so.
  bool start();
  // Until TERM, INT or a daemon that cannot go on (exit status 78). Returns the exit status.
  int run();

 private:
  struct State {
    Supervised daemon;
    std::optional<process::Child> child;
    std::chrono::steady_clock::time_point started_at, start_again_at;
    int quick_deaths = 0;
  };
  void launch(State& state);
  bool awaitHealth(State& state);
  bool wasAsked();
  int asked_ = 0;
  void look(State& state, bool stopping);
  std::vector<State> states_;
  std::function<void(const std::string&)> say_;
  int signals_ = -1;
};

}  // namespace ocelot::cli
