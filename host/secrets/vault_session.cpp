#include "host/secrets/vault_session.hpp"

#include <algorithm>

#include "host/secrets/secrets.hpp"

namespace ocelot::secrets {
namespace {

using std::chrono::seconds;

constexpr seconds kLongestPause{60};
constexpr seconds kShortestPause{1};
constexpr seconds kHealthTimeout{2};  // somebody waits for /readyz

}  // namespace

VaultSession::VaultSession(VaultPlace place, VaultAuth auth, VaultLog log)
    : http_(std::move(place)), auth_(std::move(auth)), log_(std::move(log)), thread_([this] { keep(); }) {}

VaultSession::~VaultSession() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

VaultReply VaultSession::ask(const std::string& tried, const VaultHttp::Request& request) {
  for (bool again = false;; again = true) {
    const Held held = token();
    const std::string& mine = held.own.token;
    VaultReply reply = http_.send(mine, request);
    reply.login = held.login;
    if (reply.status != 403) return reply;
    // Either the token has ended, or it may not do this: only the first is mended by another one.
    if (!again && http_.send(mine, {"GET", "auth/token/lookup-self", "", ""}).status != 200) {
      log_(LogLevel::warning, "Vault does not take Ocelot's token any more; logging in again");
      forget(mine);
      continue;
    }
    throw Refused(tried + ": Vault at " + http_.url() + ": " + said(reply) +
                  ": the policies of Ocelot's token do not allow " + request.method + " on " + request.path);
  }
}

std::string VaultSession::whyAway() {
  try {
    http_.send("", {"GET", "sys/health?standbyok=true&perfstandbyok=true", "", "", kHealthTimeout});
    token();
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

VaultSession::Held VaultSession::token() {
  const std::lock_guard one(logging_in_);
  {
    const std::lock_guard lock(mutex_);
    const bool good = held_ && (held_->own.ttl == seconds(0) || Clock::now() < held_->ends());
    if (good) return *held_;
  }
  logInLocked();
  const std::lock_guard lock(mutex_);
  return *held_;
}

// With logging_in_ held.
void VaultSession::logInLocked() {
  {
    const std::lock_guard lock(mutex_);
    if (Clock::now() < not_before_ && last_refused_) throw LoginRefused(last_failure_);
    if (Clock::now() < not_before_) throw Unavailable(last_failure_);
  }
  std::function<void()> told;
  try {
    const OwnToken own = login(http_, auth_);
    const std::lock_guard lock(mutex_);
    held_ = Held{own, Clock::now(), own.ttl, ++logins_};
    failures_ = 0;
    changed_.notify_all();
    told = told_;
  } catch (const Unavailable& error) {
    const std::lock_guard lock(mutex_);
    last_failure_ = error.what();
    last_refused_ = dynamic_cast<const LoginRefused*>(&error) != nullptr;
    not_before_ = Clock::now() + std::min(kLongestPause, kShortestPause * (1 << std::min(failures_, 6)));
    ++failures_;
    throw;
  }
  if (told) told();
}

void VaultSession::whenLoggedIn(std::function<void()> told) {
  const std::lock_guard one(logging_in_);  // nobody is being told
  const std::lock_guard lock(mutex_);
  told_ = std::move(told);
}

void VaultSession::forget(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (held_ && held_->own.token == token) held_.reset();
}

void VaultSession::keep() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!held_ && holding_) {
      if (Clock::now() < not_before_) {
        changed_.wait_until(lock, not_before_);
        continue;
      }
      lock.unlock();
      logInUnasked();
      lock.lock();
      continue;
    }
    if (!held_ || held_->own.ttl == seconds(0)) {
      changed_.wait(lock);
      continue;
    }
    const auto due = std::max(held_->due(), renew_after_);
    if (Clock::now() < due) {
      changed_.wait_until(lock, due);
      continue;
    }
    lock.unlock();
    renewOnce();
    lock.lock();
  }
}

void VaultSession::hold() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
  changed_.notify_all();
}

void VaultSession::logInUnasked() {
  try {
    token();
  } catch (const LoginRefused& refused) {
    log_(LogLevel::warning, refused.what());
    const std::lock_guard lock(mutex_);
    holding_ = false;
  } catch (const Unavailable& away) {
    log_(LogLevel::warning, away.what());
  }
}

void VaultSession::renewOnce() {
  const std::lock_guard one(logging_in_);
  std::optional<Held> held;
  {
    const std::lock_guard lock(mutex_);
    held = held_;
  }
  if (!held) return;
  std::string why;
  bool renewed = false;
  try {
    // Near the longest life that Vault allows, each renewal gives less: a new login gives the whole again.
    if (held->own.renewable) {
      const OwnToken own = renew(http_, held->own);
      renewed = own.ttl == seconds(0) || own.ttl >= held->first_ttl / 2;
      const std::lock_guard lock(mutex_);
      held_ = Held{own, Clock::now(), held->first_ttl, held->login};
      renew_after_ = {};
    }
  } catch (const Unavailable& error) {
    why = error.what();
  }
  if (renewed) return;
  try {
    logInLocked();
    const std::lock_guard lock(mutex_);
    renew_after_ = {};
  } catch (const Unavailable& error) {
    log_(LogLevel::warning, why.empty() ? error.what() : why + "; " + error.what());
    const std::lock_guard lock(mutex_);
    // What is held stays good until it ends; then whoever asks logs in.
    renew_after_ = std::max(not_before_, Clock::now() + kShortestPause);
    if (held_ && held_->own.ttl != seconds(0) && Clock::now() >= held_->ends()) held_.reset();
  }
}

}  // namespace ocelot::secrets
