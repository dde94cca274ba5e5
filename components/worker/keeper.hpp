#pragma once
// Keeps one claimed build on the worker's side: has it run by a build process, ships its log and stages to the store,
// writes its outcome under the claim, and clears up after it. One thread each.
//
//   claimed or found again ─ build process ─┬─ result ─ finish ─ (process removes the container) ─ directory removed ─
//   done
//                                           ├─ crashed ─ again, or failed with the reason
//                                           └─ not ours any more (drop) ─ killed ─ directory removed ─ done

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "components/worker/nursery.hpp"
#include "components/worker/settings.hpp"
#include "host/builddir/directory.hpp"
#include "host/builddir/events.hpp"
#include "host/logs/build_log.hpp"
#include "host/process/event.hpp"
#include "host/store/store.hpp"

namespace ocelot::worker {

// What every keeper uses. Outlives them.
struct KeeperContext {
  const Settings& settings;
  store::Store& store;
  logs::LogWatch& watch;
  // How its process gets at the secrets that it names. `begun`: it is not asked whether they can be had now;
  // `has_pass`: none is made. Throws secrets::Unavailable when they cannot be had now.
  std::function<builddir::SecretsAccess(const store::ClaimedBuild&, bool begun, bool has_pass)> secretsFor;
  std::function<builddir::CloneAccess(const model::Build&, std::string& url)> accessTo;  // also gives the clone URL
  std::function<builddir::RegistryAccess(const model::Build&)> registryAccess;  // of its image; throws when away
  std::function<void()> freed;                              // a keeper is done, or its build gave its slot back
  std::function<void(const std::string& why)> engineAway;   // the runtime could not start a container
  std::function<void(const std::string& why)> secretsAway;  // a build was given back for want of its secrets
  std::function<void(const builddir::Directory&)> remove;   // a build's directory, after the end of its pass
};

// For a build of which nobody can tell any more how its stages went.
void endStages(std::vector<model::Stage>& stages, const model::Outcome& outcome, std::int64_t log_bytes);

class Keeper {
 public:
  // `nursery` runs the build; it may be shared. `found`: the build's directory is from before this worker started.
  // `earlier`: keeps an attempt of the same build that was lost; this one begins when that has ended.
  Keeper(KeeperContext& context, std::shared_ptr<Nursery> nursery, store::ClaimedBuild build, bool found,
         std::unique_ptr<Keeper> earlier = nullptr);
  ~Keeper();  // lets the build process go on; joins the thread
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  const store::Claim& claim() const { return build_.claim; }
  const model::Build& build() const { return build_.build; }
  const builddir::Directory& directory() const { return directory_; }
  bool concluded() const { return concluded_; }  // the outcome is in the store, or is not ours to write
  bool done() const { return done_; }

  // The lease was confirmed: the guest may go on.
  void renewed();
  void cancel();
  // The build is not ours any more: it is killed and cleared up, and nothing more is written.
  void drop();
  // Gives the build back to the queue (drained worker).
  void giveBack(const std::string& why);

 private:
  void keep();
  void ask(const std::string& what);
  bool runOnce();  // false: no process was started, and none is to be
  void awaitEarlier();
  void prepare();
  bool prepareWhenStoreIsThere();
  void waitForStore(const std::string& why);
  builddir::SecretsAccess secretsAccess();
  bool underWay();
  void take(const builddir::Event& event);
  void ship(bool all);
  bool finish(const model::Outcome& outcome);
  void conclude();
  void crashed(std::optional<int> status);
  std::string lastWords() const;
  void clearUp();
  void waitFor(int pidfd, int timeout_ms);
  bool goesOnWithoutSecrets(const std::string& why);

  KeeperContext& context_;
  std::shared_ptr<Nursery> nursery_;
  store::ClaimedBuild build_;
  const bool found_;
  std::unique_ptr<Keeper> earlier_;
  builddir::Directory directory_;
  builddir::EventReader events_;
  std::unique_ptr<logs::LogWatch::Subscription> changed_;
  std::vector<model::Stage> stages_;
  bool stages_changed_ = false;
  std::string phase_;
  std::optional<builddir::SecretsAccess> access_;
  std::optional<builddir::Event> result_;
  bool removed_ = false;
  std::int64_t shipped_ = 0;
  std::chrono::steady_clock::time_point shipped_at_;
  int crashes_ = 0;
  const std::int64_t claimed_at_ = builddir::bootMillis();
  process::Event stop_;  // leave, drop or give back
  std::atomic<bool> leaving_{false}, prepared_{false}, dropped_{false}, concluded_{false}, done_{false};
  std::optional<std::string> give_back_;
  bool cleared_ = false;  // the directory is gone
  std::mutex mutex_;      // guards these two
  std::thread thread_;
};

}  // namespace ocelot::worker
