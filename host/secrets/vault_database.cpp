#include "host/secrets/vault_database.hpp"

#include <algorithm>

#include "host/http/json.hpp"
#include "host/secrets/secrets.hpp"
#include "host/store/store.hpp"

namespace ocelot::secrets {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kShortestWait{1}, kLongestWait{30};
constexpr seconds kPartingPatience{2};  // for revoking: a daemon that ends does not wait for a Vault that is away
constexpr std::int64_t kLongestLease = 10LL * 365 * 86400;
constexpr std::size_t kLongestWord = 1024;

seconds leaseOf(const http::JsonView& body) {
  return seconds(std::clamp<std::int64_t>(body["lease_duration"].number().value_or(0), 0, kLongestLease));
}

std::string leaseBody(const std::string& lease) {
  http::JsonWriter body;
  body.object().field("lease_id", lease).end();
  return body.text();
}

}  // namespace

VaultDatabase::Clock::time_point VaultDatabase::Held::due() const {
  return since + std::max(milliseconds(ttl) * 2 / 3, milliseconds(500));
}

VaultDatabase::VaultDatabase(std::shared_ptr<VaultSession> session, VaultDatabaseRole role, VaultLog log)
    : session_(std::move(session)),
      role_(std::move(role)),
      log_(std::move(log)),
      tried_("make an account in PostgreSQL by Vault's role " + role_.mount + "/" + role_.role) {
  session_->whenLoggedIn([this] {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  thread_ = std::thread([this] { keep(); });
}

VaultDatabase::~VaultDatabase() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  session_->whenLoggedIn(nullptr);
  if (!held_) return;
  try {
    session_->ask("give an account back", {"PUT", "sys/leases/revoke", leaseBody(held_->lease), "", kPartingPatience});
  } catch (const std::exception&) {
    // It ends by itself, with its lease.
  }
}

std::optional<VaultDatabase::Held> VaultDatabase::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

std::shared_ptr<const store::Account> VaultDatabase::account() {
  const auto usable = [this]() -> std::shared_ptr<const store::Account> {
    const std::lock_guard lock(mutex_);
    return held_ && Clock::now() < held_->ends() ? held_->account : nullptr;
  };
  // Most calls do not wait for one that asks Vault.
  if (auto good = usable()) return good;
  const std::lock_guard one(asking_);
  if (auto good = usable()) return good;
  {
    const std::lock_guard lock(mutex_);
    if (Clock::now() < not_before_) {
      if (trouble_refused_) throw store::Refused(trouble_);
      throw store::Unavailable(trouble_);
    }
  }
  makeNext();
  const std::lock_guard lock(mutex_);
  return held_->account;
}

bool VaultDatabase::superseded(const std::shared_ptr<const store::Account>& account) const {
  const std::lock_guard lock(mutex_);
  return held_ && held_->account != account;
}

void VaultDatabase::doubt(const std::shared_ptr<const store::Account>& account) {
  const std::lock_guard one(asking_);
  std::optional<Held> mine;
  {
    const std::lock_guard lock(mutex_);
    // Whoever lacks a right for good doubts at each call: Vault is not asked each time.
    if (!held_ || held_->account != account || Clock::now() < doubt_after_) return;
    doubt_after_ = Clock::now() + kShortestWait;
    mine = held_;
  }
  try {
    if (renewed(*mine)) return;
    log_(LogLevel::warning,
         "PostgreSQL does not take Ocelot's account any more, and Vault has ended it; asking for another");
    makeNext();
  } catch (const std::exception& error) {
    log_(LogLevel::warning, error.what());
  }
}

std::string VaultDatabase::trouble() {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void VaultDatabase::makeNext() {
  try {
    const auto reply = session_->ask(tried_, {"GET", role_.mount + "/creds/" + role_.role, "", ""});
    if (reply.status != 200)
      throw Refused(tried_ + ": Vault at " + session_->http().url() + ": " + said(reply) +
                    "; check store.vault_role and vault.database_mount");
    Held next;
    auto account = std::make_shared<store::Account>();
    account->user = reply.body["data"]["username"].text().value_or("");
    account->password = reply.body["data"]["password"].text().value_or("");
    next.lease = reply.body["lease_id"].text().value_or("");
    next.ttl = next.first_ttl = leaseOf(reply.body);
    if (account->user.empty() || account->password.empty() || next.lease.empty() || next.ttl == seconds(0) ||
        std::max({account->user.size(), account->password.size(), next.lease.size()}) > kLongestWord)
      throw Refused(
          tried_ + ": Vault at " + session_->http().url() +
          ": the answer holds no user name, password and lease that ends; is it a role of the database engine?");
    next.account = std::move(account);
    next.renewable = reply.body["renewable"].flag().value_or(false);
    next.login = reply.login;
    next.since = Clock::now();
    const std::lock_guard lock(mutex_);
    held_ = std::move(next);
    failures_ = 0;
    trouble_.clear();
    try_after_ = {};
    changed_.notify_all();
  } catch (const std::exception& error) {
    const bool refused = dynamic_cast<const Refused*>(&error) || dynamic_cast<const LoginRefused*>(&error);
    const std::lock_guard lock(mutex_);
    trouble_ = error.what();
    trouble_refused_ = refused;
    not_before_ = Clock::now() + std::min(kLongestWait, kShortestWait * (1 << std::min(failures_, 5)));
    ++failures_;
    if (refused) throw store::Refused(trouble_);
    throw store::Unavailable(trouble_);
  }
}

bool VaultDatabase::renewed(const Held& held) {
  if (!held.renewable) return false;
  const auto asked = Clock::now();
  VaultReply reply;
  try {
    reply = session_->ask("renew the account in PostgreSQL", {"PUT", "sys/leases/renew", leaseBody(held.lease), ""});
  } catch (const Refused& refused) {
    log_(LogLevel::warning, std::string(refused.what()) + "; the next account is made instead");
    return false;
  }
  if (reply.status != 200) return false;  // it has ended
  const seconds ttl = leaseOf(reply.body);
  const std::lock_guard lock(mutex_);
  if (!held_ || held_->account != held.account) return true;
  held_->ttl = ttl;
  held_->since = asked;
  trouble_.clear();
  try_after_ = {};
  return ttl >= held.first_ttl / 2 && ttl > seconds(0);
}

void VaultDatabase::keep() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!held_) {
      changed_.wait(lock);
      continue;
    }
    const bool other_token = session_->logins() != held_->login;
    const auto due = std::max(other_token ? Clock::time_point{} : held_->due(), try_after_);
    if (Clock::now() < due) {
      changed_.wait_until(lock, due);
      continue;
    }
    lock.unlock();
    keepOnce();
    lock.lock();
  }
}

void VaultDatabase::keepOnce() {
  const std::lock_guard one(asking_);
  const auto mine = held();
  if (!mine) return;
  try {
    if (session_->logins() == mine->login && renewed(*mine)) return;
    makeNext();
    log_(LogLevel::info, "PostgreSQL is used with the next account of Vault's");
  } catch (const std::exception& error) {
    log_(LogLevel::warning, error.what());
    const std::lock_guard lock(mutex_);
    // What is held serves until it ends, and what is open then goes on; asked again until there is another one.
    trouble_ = error.what();
    try_after_ = std::max(not_before_, Clock::now() + kShortestWait);
  }
}

}  // namespace ocelot::secrets
