// ocelot-poller: looks regularly for new commits and turns them into builds. Any number may run.

#include <memory>

#include "components/poller/watch.hpp"
#include "host/daemon/daemon.hpp"

namespace ocelot::poller {
namespace {

class Poller final : public daemon::Daemon {
 public:
  std::string section() const override { return "poller"; }
  std::string description() const override { return "Looks regularly for new commits and turns them into builds."; }

  void open(daemon::Context& context) override {
    engines::openForDaemon(engines_, context.config(), [] {});
  }

  void start(daemon::Context& context) override {
    const config::Config& config = context.config();
    providers_ = std::make_unique<providers::Providers>(config, engines::resolverOf(*engines_.secrets));
    engines::watchHealth(context.health(), engines_);
    WatchSettings settings;
    settings.min_interval = config.duration("poller.min_interval");
    settings.threads = static_cast<int>(config.number("poller.threads"));
    watch_ = std::make_unique<Watch>(engines_, *providers_, settings, context.metrics());
  }

  void stop(daemon::Context&) override { watch_.reset(); }

 private:
  engines::Engines engines_;
  std::unique_ptr<providers::Providers> providers_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace
}  // namespace ocelot::poller

OCELOT_DAEMON_MAIN(ocelot::poller::Poller)
