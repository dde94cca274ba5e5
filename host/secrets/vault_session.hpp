#pragma once
// Ocelot's standing with Vault: one token for the whole process, renewed when two thirds of its time are over, got anew
// when it is lost. One thread.
//
//   first ask() ─ login ─┬─ 2/3 of the time: renew ──┐
//                        ├───────────────────────────┘
//                        └─ renewal refused, or no longer worth it; a request refused because the token has ended:
//                        login

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "host/secrets/vault_http.hpp"
#include "host/secrets/vault_login.hpp"

namespace ocelot::secrets {

using VaultLog = std::function<void(LogLevel, std::string_view)>;

// [any] thread.
class VaultSession {
 public:
  VaultSession(VaultPlace place, VaultAuth auth, VaultLog log);
  ~VaultSession();
  VaultSession(const VaultSession&) = delete;
  VaultSession& operator=(const VaultSession&) = delete;

  // As VaultHttp::send, with Ocelot's own token; `tried` begins the message of what it throws. Throws Refused for
  // a 403: the token is good, but its policies do not allow this.
  VaultReply ask(const std::string& tried, const VaultHttp::Request& request);
  // Has a token from now on without anybody asking, so that one which is there already is renewed in time. A login that
  // is refused ends that.
  void hold();
  // "" when Vault is unsealed and takes our token.
  std::string whyAway();

  // How many logins there were. What Vault made for an earlier one's token ends with that token.
  std::uint64_t logins() const { return logins_; }
  // Called after each, on whichever thread it was made; nullptr: nobody any more.
  void whenLoggedIn(std::function<void()> told);

  VaultHttp& http() { return http_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Held {
    OwnToken own;
    Clock::time_point since;
    std::chrono::seconds first_ttl;  // as granted by the login
    std::uint64_t login = 0;
    Clock::time_point due() const { return since + std::max(own.ttl * 2 / 3, std::chrono::seconds(1)); }
    Clock::time_point ends() const { return since + own.ttl; }
  };

  Held token();
  void forget(const std::string& token);
  void keep();
  void logInUnasked();
  void renewOnce();
  void logInLocked();

  VaultHttp http_;
  const VaultAuth auth_;
  const VaultLog log_;

  std::mutex logging_in_;  // held during a login; before mutex_
  std::mutex mutex_;       // guards what follows
  std::condition_variable changed_;
  std::optional<Held> held_;
  int failures_ = 0;                 // logins in a row
  Clock::time_point not_before_{};   // no login before: Vault locks a role out that fails too often
  Clock::time_point renew_after_{};  // a renewal failed
  std::string last_failure_;
  bool last_refused_ = false;  // and not: Vault is away
  bool holding_ = false;
  bool stopping_ = false;
  std::function<void()> told_;
  std::atomic<std::uint64_t> logins_{0};
  std::thread thread_;
};

}  // namespace ocelot::secrets
