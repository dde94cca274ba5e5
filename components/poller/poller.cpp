// ocelot-poller: looks regularly for new commits and turns them into builds. Any number may run: each repo is looked at
// by the one that holds its lock in the store.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "components/poller/poll.hpp"
#include "host/daemon/daemon.hpp"

namespace ocelot::poller {
namespace {

using daemon::log;
using std::chrono::milliseconds;

constexpr milliseconds kTurn{1000};
constexpr std::int64_t kHoldMs = 600000;  // a look that takes longer may be repeated by another poller
constexpr milliseconds kLookTimeout{300000};

class Poller final : public daemon::Daemon {
 public:
  std::string section() const override { return "poller"; }
  std::string description() const override { return "Looks regularly for new commits and turns them into builds."; }

  void start(daemon::Context& context) override {
    engines_ = engines::open(context.config());
    providers_ = std::make_unique<providers::Providers>(context.config(), engines::resolverOf(*engines_.secrets));
    min_interval_ = context.config().duration("poller.min_interval");
    context.health().add("store", [this] {
      engines_.store->ping();
      return std::string();
    });
    looks_ = &context.metrics().counter("ocelot_poller_looks_total", "looks at repositories");
    failures_ = &context.metrics().counter("ocelot_poller_failures_total", "looks that failed");
    thread_ = std::thread([this] { run(); });
  }

  void stop(daemon::Context&) override {
    {
      std::lock_guard guard(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      try {
        turn();
      } catch (const std::exception& error) {
        log(LogLevel::warning, "polling failed; it is tried again", {{"why", error.what()}});
      }
      lock.lock();
      changed_.wait_for(lock, kTurn, [this] { return stopping_; });
    }
  }

  void turn() {
    const store::Micros now = engines_.store->now();
    for (const auto& repo : engines_.store->repos()) {
      const auto every = std::max<std::int64_t>(repo.poll_seconds * 1000, min_interval_.count());
      if (repo.poll_seconds == 0 || now - repo.polled_at < every * 1000) continue;
      if (!engines_.store->tryLead("poll " + repo.id, me_, kHoldMs)) continue;
      look(repo);
      std::lock_guard guard(mutex_);
      if (stopping_) return;
    }
  }

  void look(const model::Repo& repo) {
    looks_->add();
    try {
      SimpleCall call(kLookTimeout);
      pollOnce(call, engines_, *providers_, repo);
    } catch (const Error& error) {
      failures_->add();
      log(LogLevel::warning, "a repository did not answer", {{"repo", repo.name}, {"why", error.what()}});
      engines_.store->updateRepoPoll(repo.id, repo.heads_json);  // not again before its time
    }
  }

  engines::Engines engines_;
  std::unique_ptr<providers::Providers> providers_;
  const std::string me_ = model::newUuid();
  milliseconds min_interval_{10000};
  daemon::Counter* looks_ = nullptr;
  daemon::Counter* failures_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace
}  // namespace ocelot::poller

OCELOT_DAEMON_MAIN(ocelot::poller::Poller)
