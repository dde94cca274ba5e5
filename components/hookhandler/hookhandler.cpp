// ocelot-hookhandler: receives webhooks and turns new commits into builds.

#include <memory>

#include "components/hookhandler/inbox.hpp"
#include "host/daemon/daemon.hpp"
#include "host/engines/explain.hpp"

namespace ocelot::hookhandler {
namespace {

class Hookhandler final : public daemon::Daemon {
 public:
  std::string section() const override { return "hookhandler"; }
  std::string description() const override { return "Receives webhooks and turns new commits into builds."; }

  void open(daemon::Context& context) override {
    engines::openForDaemon(engines_, context.config(), [] {});
  }

  void start(daemon::Context& context) override {
    providers_ = std::make_unique<providers::Providers>(context.config(), engines::resolverOf(*engines_.secrets));
    inbox_ = std::make_unique<Inbox>(engines_, *providers_, context.metrics());
    engines::watchHealth(context.health(), engines_);
    http::Routes routes;
    // Open: a hook proves by its signature who sent it.
    routes.add({"POST", "/hooks/{repo}", http::Role::none,
                [this](const http::Request& request) { return inbox_->receive(request); },
                context.config().size("hookhandler.max_body")});
    daemon::Counter& errors =
        context.metrics().counter("ocelot_store_errors_total", "Times that an engine was away when it was needed");
    context.serve(std::move(routes), nullptr, [&errors](const std::exception& error) {
      auto answer = engines::explain(error);
      if (answer && answer->status == 503) errors.add();
      return answer;
    });
  }

  void stop(daemon::Context&) override { inbox_.reset(); }

 private:
  engines::Engines engines_;
  std::unique_ptr<providers::Providers> providers_;
  std::unique_ptr<Inbox> inbox_;
};

}  // namespace
}  // namespace ocelot::hookhandler

OCELOT_DAEMON_MAIN(ocelot::hookhandler::Hookhandler)
