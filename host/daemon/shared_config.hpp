#pragma once
// The configuration that all daemons share: one YAML document in Consul's key-value store, at <prefix>/config, of the
// form of server.yaml. One document and not a key each, so that keys that belong together change together, and a
// mistake has its line. What was right last is kept in a file, so that a daemon starts while Consul is away.
//
//   read() ─ the configuration is right: good() ─ watch() ─ changed ─ read() ─┬─ good()
//                                                                            └─ refused(): the last good one stays

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/config/config.hpp"
#include "host/consul/consul.hpp"

namespace ocelot::daemon {

// [any] thread.
class SharedConfig {
 public:
  SharedConfig(consul::ConsulSettings settings, std::string kept_file);
  ~SharedConfig();
  SharedConfig(const SharedConfig&) = delete;
  SharedConfig& operator=(const SharedConfig&) = delete;

  // The document now; while Consul is away, the one that was kept. Mistakes of form, and keys that cannot stand there,
  // go to `problems`. Throws consul::Unavailable when Consul is away and none was ever kept.
  config::Layer read(std::vector<config::Problem>& problems);
  // The one that was kept, whatever Consul has; an empty layer when there is none.
  config::Layer readKept(std::vector<config::Problem>& problems);
  // What was read last made a configuration that is right: it is kept.
  void good();
  // It did not; `why` is told by whyNot() until another one is good.
  void refused(const std::string& why);
  // Calls `changed` whenever Consul has another document than was read last, on a thread of its own, until stop().
  void watch(std::function<void()> changed);
  void stop();  // joins the thread
  // "" when Consul answers and its document is in use.
  std::string whyNot();

 private:
  class Waiting;
  consul::Reply fetch(std::uint64_t index, Call* call);
  config::Layer parsed(const std::string& text, std::vector<config::Problem>& problems) const;
  void follow(const std::function<void()>& changed);

  consul::Consul consul_;
  const std::string path_, name_, kept_file_;

  std::mutex mutex_;  // guards what follows
  std::string seen_;  // in Consul, by read() or the watch
  std::string read_;  // by read(), last
  std::uint64_t index_ = 0;
  std::string away_, refused_;
  std::unique_ptr<Waiting> waiting_;
  std::thread thread_;
};

}  // namespace ocelot::daemon
