// How the worker keeps what it has claimed: its leases, and its place in the register.

#include <algorithm>

#include "components/worker/worker.hpp"
#include "host/http/client.hpp"

namespace ocelot::worker {
namespace {

using daemon::log;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kSweepEvery{30000};
constexpr milliseconds kAdminAnswers{3000};

}  // namespace

// Does nothing else: whatever waits for an engine that hangs would keep the guests from hearing that all is well.
void Worker::keepLeases() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      renew();
    } catch (const std::exception& error) {
      log(LogLevel::warning, "keeping the leases failed", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, settings_.heartbeat, [this] { return stopping_; });
  }
}

void Worker::renew() {
  const auto asked = Clock::now();
  if (!renewing_.valid()) {
    renewed_claims_.clear();
    {
      std::lock_guard guard(mutex_);
      for (const auto& [id, keeper] : keepers_)
        if (!keeper->concluded()) renewed_claims_.push_back(keeper->claim());
    }
    if (renewed_claims_.empty()) return;
    renewing_ = std::async(std::launch::async, [this, claims = renewed_claims_] {
      return engines_.store->renew(claims, settings_.lease.count());
    });
  }
  // Told late, a renewal is no sign of life any more: the guest would outlive the lease by as much.
  const auto patience = settings_.lease / 10;
  if (renewing_.wait_for(patience) != std::future_status::ready) {
    goOnWithoutStore("it has not answered for " + std::to_string(patience.count()) + " ms");
    return;
  }
  std::vector<store::Renewal> renewals;
  try {
    renewals = renewing_.get();
  } catch (const store::Unavailable& away) {
    goOnWithoutStore(away.what());
    return;
  }
  const bool fresh = Clock::now() - asked < patience;
  std::lock_guard guard(mutex_);
  for (const auto& renewal : renewals) {
    const auto found = keepers_.find(renewal.build_id);
    // One that has ended meanwhile is held no more, and rightly so; nor is the attempt before the one that was claimed
    // meanwhile.
    if (found == keepers_.end() || found->second->concluded() || !askedFor(found->second->claim())) continue;
    if (!renewal.held) {
      log(LogLevel::warning, "a build is not ours any more", {{"build", renewal.build_id}});
      found->second->drop();
    } else {
      if (fresh) found->second->renewed();
      if (renewal.cancel_requested) found->second->cancel();
    }
  }
}

// Whether the running renewal is of this very claim.
bool Worker::askedFor(const store::Claim& claim) const {
  return std::any_of(renewed_claims_.begin(), renewed_claims_.end(),
                     [&](const store::Claim& asked) { return asked.claim_id == claim.claim_id; });
}

// Nobody can take our builds while nobody reaches the store, and only admins end leases: each that says it does not
// reach it either begins to watch anew. One that cannot be asked may be with the store, and take us for dead.
void Worker::goOnWithoutStore(const std::string& why) {
  const std::string not_away = adminWithStore();
  if (!not_away.empty()) {
    log(LogLevel::warning, "leases cannot be renewed; builds stop by themselves if it lasts",
        {{"why", why}, {"admin", not_away}});
    return;
  }
  std::lock_guard guard(mutex_);
  for (const auto& [id, keeper] : keepers_) keeper->renewed();
}

// The first admin that does not say that the store is away for it too, and what it says; "" when all say so.
std::string Worker::adminWithStore() {
  for (const auto& url : settings_.admin_urls) {
    try {
      http::ClientSettings settings;
      settings.url = url;
      settings.ca_file = settings_.ca_file;
      settings.connect_timeout = kAdminAnswers;
      SimpleCall call(kAdminAnswers);
      HttpRequest request;
      request.url = "/readyz";
      const auto answer = http::Client(settings).send(call, request);
      if (answer.status != 503 || answer.body.find("\"store\"") == std::string::npos) return url + " reaches the store";
    } catch (const Error& error) {
      return error.what();
    }
  }
  return settings_.admin_urls.empty() ? "worker.admin_url names none" : "";
}

void Worker::showPresence() {
  auto swept = Clock::now() - kSweepEvery;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      try {
        learnDrain();
      } catch (const store::Unavailable&) {
        // What was learned last holds; renewing says that the store is away.
      }
      announce();
      if (Clock::now() - swept >= kSweepEvery) {
        sweep();
        swept = Clock::now();
      }
    } catch (const std::exception& error) {
      log(LogLevel::warning, "showing that the worker is there failed", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, settings_.heartbeat, [this] { return stopping_; });
  }
}

}  // namespace ocelot::worker
