// ocelot-admin: answers clients, keeps the books.

#include <sys/statvfs.h>

#include <memory>

#include "components/admin/api/api.hpp"
#include "components/admin/auth.hpp"
#include "components/admin/reconciler.hpp"
#include "host/daemon/daemon.hpp"
#include "host/engines/explain.hpp"
#include "host/report/reporter.hpp"
#include "host/ticket/ticket.hpp"

namespace ocelot::admin {
namespace {

class Admin final : public daemon::Daemon {
 public:
  std::string section() const override { return "admin"; }
  std::string description() const override {
    return "Answers the command line and other clients, keeps the books, tells results.";
  }

  void open(daemon::Context& context) override {
    engines::openForDaemon(engines_, context.config(), [this] {
      ticket_key_ = std::make_unique<engines::SharedKey>(engines_, ticket::kKeySecret);
    });
  }

  void start(daemon::Context& context) override {
    const config::Config& config = context.config();
    providers_ = std::make_unique<providers::Providers>(config, engines::resolverOf(*engines_.secrets));
    const auto key = [this] { return ticket_key_->get(); };
    relay_ =
        std::make_unique<LogRelay>(relaySettings(config), *engines_.store, *engines_.discovery, key, context.metrics());
    api_ = std::make_unique<Api>(Api{engines_, *providers_, config, key, *relay_, engines::openPassOffice(config)});
    reconciler_ = std::make_unique<Reconciler>(engines_, reconcilerSettings(config), context.metrics());
    engines::watchHealth(context.health(), engines_);
    // Workers that cannot reach the store ask for this, and take it as a promise.
    context.health().add("store", [this] { return reconciler_->whyStoreAway(); });
    daemon::Counter& errors = storeErrors(context.metrics());
    const auto& server =
        context.serve(apiRoutes(*api_), authenticatorFor(*engines_.store), [&errors](const std::exception& error) {
          auto answer = engines::explain(error);
          if (answer && answer->status == 503) errors.add();
          return answer;
        });
    report::ReporterSettings reporter;
    reporter.url = config.has("admin.public_url") ? config.text("admin.public_url") : server.url();
    reporter_ = std::make_unique<report::Reporter>(engines_, config, std::move(reporter), context.metrics());
  }

  void stop(daemon::Context&) override {
    reporter_.reset();
    reconciler_.reset();
  }

 private:
  static ReconcilerSettings reconcilerSettings(const config::Config& config) {
    ReconcilerSettings settings;
    settings.interval = config.duration("admin.reconcile_interval");
    settings.lease = config.duration("worker.lease");
    settings.max_attempts = static_cast<int>(config.number("admin.max_attempts"));
    settings.retention.keep_days = static_cast<int>(config.number("retention.keep_days"));
    settings.retention.keep_builds_per_repo = static_cast<int>(config.number("retention.keep_builds"));
    settings.keep_audit_days = static_cast<int>(config.number("retention.keep_audit"));
    struct statvfs disk {};
    if (::statvfs(config.text("data_dir").c_str(), &disk) == 0)
      settings.keep_log_bytes =
          config.share("retention.keep_disk").of(static_cast<std::int64_t>(disk.f_blocks * disk.f_frsize));
    return settings;
  }

  engines::Engines engines_;
  std::unique_ptr<engines::SharedKey> ticket_key_;
  std::unique_ptr<providers::Providers> providers_;
  std::unique_ptr<LogRelay> relay_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<report::Reporter> reporter_;
};

}  // namespace
}  // namespace ocelot::admin

OCELOT_DAEMON_MAIN(ocelot::admin::Admin)
