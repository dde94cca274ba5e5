#pragma once
// Accounts in PostgreSQL that Vault's database engine makes for us: each has a lease, which is renewed when two thirds
// of its time are over; when Vault gives no more than half of the first time, the next account takes its place while
// the old one still serves. One thread.
//
//   first account() ─ made ─┬─ 2/3 of the time: renewed ─┐
//                           ├────────────────────────────┘
//                           ├─ no longer worth renewing, refused, or Vault's token was replaced: the next one
//                           └─ ~VaultDatabase: its lease is revoked, so that no account is left behind
//
// *Rationale:* Vault ends every lease with the token that asked for it. So a login anew means an account anew, at once:
// the old token has some time left, and the old account no more than that.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "host/secrets/vault_session.hpp"
#include "host/store/credentials.hpp"

namespace ocelot::secrets {

struct VaultDatabaseRole {
  std::string mount = "database";
  std::string role;
};

class VaultDatabase final : public store::Credentials {
 public:
  // Asks nothing of Vault before the first account(). `session` is for this object alone.
  VaultDatabase(std::shared_ptr<VaultSession> session, VaultDatabaseRole role, VaultLog log);
  ~VaultDatabase() override;
  VaultDatabase(const VaultDatabase&) = delete;
  VaultDatabase& operator=(const VaultDatabase&) = delete;

  std::shared_ptr<const store::Account> account() override;
  bool superseded(const std::shared_ptr<const store::Account>& account) const override;
  void doubt(const std::shared_ptr<const store::Account>& account) override;
  std::string trouble() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Held {
    std::shared_ptr<const store::Account> account;
    std::string lease;
    bool renewable = false;
    std::uint64_t login = 0;  // of the session: whose token asked for it
    Clock::time_point since;
    std::chrono::seconds ttl{0}, first_ttl{0};
    Clock::time_point due() const;
    Clock::time_point ends() const { return since + ttl; }
  };

  void keep();
  void makeNext();                 // with asking_ held; throws
  bool renewed(const Held& held);  // with asking_ held; false: not worth it, or refused; throws Unavailable
  void keepOnce();
  std::optional<Held> held() const;

  const std::shared_ptr<VaultSession> session_;
  const VaultDatabaseRole role_;
  const VaultLog log_;
  const std::string tried_;  // "make an account …", for messages

  std::mutex asking_;         // held while Vault is asked; before mutex_
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::optional<Held> held_;
  Clock::time_point try_after_{};    // a renewal failed
  Clock::time_point doubt_after_{};  // Vault was asked about a doubted account
  Clock::time_point not_before_{};   // Vault gave no account: no further question before
  int failures_ = 0;                 // in a row
  std::string trouble_;
  bool trouble_refused_ = false;  // somebody has to mend it
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ocelot::secrets
