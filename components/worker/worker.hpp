#pragma once
// The worker daemon: takes builds from the store as it has free slots, keeps their leases, and takes up again what an
// earlier worker left running.

#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "components/worker/keeper.hpp"
#include "components/worker/log_server.hpp"
#include "components/worker/runtimes.hpp"
#include "components/worker/secret_desk.hpp"
#include "components/worker/settings.hpp"
#include "host/daemon/daemon.hpp"
#include "host/engines/engines.hpp"
#include "host/providers/providers.hpp"

namespace ocelot::worker {

class Worker final : public daemon::Daemon {
 public:
  std::string section() const override { return "worker"; }
  std::string description() const override {
    return "Takes builds from the queue and runs each in a clean container; serves their live logs.";
  }
  void check(const config::Config& config, std::vector<config::Problem>& problems) override;
  void open(daemon::Context& context) override;
  void start(daemon::Context& context) override;
  void drain(daemon::Context& context) override;
  void hurry(daemon::Context& context) override;
  void stop(daemon::Context& context) override;
  void reload(daemon::Context& context, const config::Config& fresh) override;

 private:
  KeeperContext keeperContext();
  void removeDirectory(const builddir::Directory& directory);
  std::optional<std::string> secretFor(const std::string& build_id, const std::string& name);
  std::optional<LiveLog> findLive(const std::string& build_id);

  void adopt();
  void endUnread(const store::ClaimedBuild& held,
                 const std::string& why);  // builds of ours that an earlier worker left
  void takeBuilds();                       // thread: claims while there are slots
  bool takeOne();
  void tellOfQueue();
  void keepLeases();  // thread
  void renew();
  bool askedFor(const store::Claim& claim) const;
  void goOnWithoutStore(const std::string& why);
  std::string adminWithStore();
  void showPresence();  // thread: announces, learns, sweeps
  void learnDrain();
  void takeId();
  void keepId(const store::WorkerRow& row);
  void setDisplaced(const std::string& why);
  store::WorkerRow announcement() const;  // but for what changes
  void announce();
  void sweep();
  void lookAfterRuntimes();  // thread: probes, and now and then tidies
  void tidyMirrors();
  std::string whyIdle();  // why no builds are taken, "" when they are
  void bury();            // keepers that are done
  int busySlots();
  int slots();  // as configured by now

  Settings settings_;
  engines::Engines engines_;
  std::unique_ptr<providers::Providers> providers_;  // who tell how a repository is fetched
  std::unique_ptr<Runtimes> runtimes_;
  std::unique_ptr<logs::LogWatch> watch_;
  std::unique_ptr<engines::SharedKey> ticket_key_;
  std::unique_ptr<ticket::Gate> gate_;
  std::vector<builddir::RuntimeChoice> runtime_choices_;  // from open() to start()
  std::unique_ptr<KeeperContext> keeper_context_;
  std::unique_ptr<SecretDesk> desk_;

  std::mutex mutex_;  // guards keepers_ and what follows them
  std::condition_variable changed_;
  std::map<std::string, std::unique_ptr<Keeper>> keepers_;  // by build id
  bool stopping_ = false, hurried_ = false, draining_ = false;
  bool look_again_ = false;                // a runtime failed: ask it before the next build
  std::optional<std::string> drained_by_;  // by whom: the person who asked for no new builds
  std::string secrets_away_;               // why, "" when secrets can be had
  std::string displaced_;                  // by whom, "" when this worker's id is its own
  std::string queue_trouble_;              // of the taker's thread
  store::Micros started_at_ = 0;
  std::optional<std::chrono::steady_clock::time_point> refused_since_;  // open()'s: another has this id
  std::future<std::vector<store::Renewal>> renewing_;                   // of the leases' thread, as
  std::vector<store::Claim> renewed_claims_;                            // what it is about
  std::thread taker_, leases_, presence_, runtimes_thread_;
  daemon::Context* context_ = nullptr;
};

}  // namespace ocelot::worker
