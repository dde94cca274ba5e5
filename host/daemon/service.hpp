#pragma once
// A daemon while it runs: the Context that it is given, and the order of its life.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "host/daemon/daemon.hpp"
#include "host/daemon/shared_config.hpp"
#include "host/process/event.hpp"

namespace ocelot::daemon {

class Service final : public Context {
 public:
  // `reread` makes the configuration anew for SIGHUP; throws config::Invalid.
  // `shared`, if there is one, is watched: a change is a reload.
  Service(Daemon& daemon, config::Config config, std::function<config::Config()> reread, SharedConfig* shared);
  ~Service() override;

  int run();  // to the end; the exit status

  const config::Config& config() const override { return config_; }
  Metrics& metrics() override { return metrics_; }
  Health& health() override { return health_; }
  http::Server& serve(http::Routes routes, http::Authenticator authenticator,
                      std::function<std::optional<http::Answer>(const std::exception&)> explain) override;
  bool draining() const override { return draining_; }
  int drainFd() const override { return drain_.fd(); }
  void fail(const std::string& why) override;

 private:
  void end(int times);  // on the signal thread
  void wantReload();
  void beginDrain();
  bool openEngines();  // false: asked to end before they were there
  void reload();
  void measure();

  Daemon& daemon_;
  const config::Config config_;
  const std::function<config::Config()> reread_;
  SharedConfig* const shared_;
  Metrics metrics_;
  Health health_;
  std::atomic<bool> draining_{false}, hurried_{false}, failed_{false};
  const process::Event drain_;

  std::mutex mutex_;  // guards reload_wanted_, started_
  std::condition_variable changed_;
  bool reload_wanted_ = false;
  bool started_ = false;

  std::unique_ptr<http::Server> server_;
};

}  // namespace ocelot::daemon
