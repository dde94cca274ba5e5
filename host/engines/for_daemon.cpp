// How daemons hold their engines.

#include "host/consul/consul.hpp"
#include "host/daemon/log.hpp"
#include "host/engines/engines.hpp"
#include "host/store/unfit.hpp"

namespace ocelot::engines {
namespace {

constexpr std::chrono::seconds kAskEvery{5};

}  // namespace

void openForDaemon(Engines& engines, const config::Config& config, const std::function<void()>& then) {
  try {
    // Of what an earlier try has opened only the credentials stay: each made anew is another login at Vault.
    auto credentials = std::move(engines.credentials);
    engines = Engines{};
    engines.credentials = storeSettings(config, std::move(credentials)).credentials;
    engines = open(config, engines.credentials);
    then();
  } catch (const store::Unfit& unfit) {
    throw daemon::Unfit(unfit.what());
  } catch (const store::Refused&) {
    throw;
  } catch (const secrets::LoginRefused&) {
    throw;
  } catch (const store::Unavailable& away) {
    throw daemon::Away("store", away.what());
  } catch (const secrets::Unavailable& away) {
    throw daemon::Away("secrets", away.what());
  } catch (const queue::Unavailable& away) {
    throw daemon::Away("queue", away.what());
  } catch (const consul::Unavailable& away) {
    throw daemon::Away("discovery", away.what());
  }
}

void watchHealth(daemon::Health& health, Engines& engines) {
  health.add("store", [&engines] {
    engines.store->ping();
    return std::string();
  });
  if (engines.credentials) health.add("credentials", [&engines] { return engines.credentials->trouble(); });
  health.add("secrets", [&engines] { return engines.secrets->whyAway(); });
  health.add("queue", [&engines] { return engines.queue->trouble(); });
  health.addWarning("queue", [&engines] { return engines.queue->warning(); });
  health.add("discovery", [&engines] { return engines.discovery->whyAway(); });
}

SharedKey::SharedKey(Engines& engines, std::string name) : engines_(engines), name_(std::move(name)) {
  try {
    key_ = sharedKey(engines_, name_);
  } catch (const secrets::LoginRefused&) {
    throw;
  } catch (const secrets::Unavailable&) {
    // Asked for again when somebody needs it.
  }
}

std::optional<std::string> SharedKey::get() {
  const std::lock_guard lock(mutex_);
  if (key_ || std::chrono::steady_clock::now() < ask_after_) return key_;
  try {
    key_ = sharedKey(engines_, name_);
  } catch (const std::exception& error) {
    daemon::log(LogLevel::warning, "the key " + name_ + " cannot be had", {{"why", error.what()}});
    ask_after_ = std::chrono::steady_clock::now() + kAskEvery;
  }
  return key_;
}

}  // namespace ocelot::engines
