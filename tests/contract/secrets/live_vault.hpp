#pragma once
// A real Vault, and the verbs of its operator.

#include <memory>
#include <string>

#include "host/process/child.hpp"
#include "host/secrets/vault.hpp"
#include "tests/contract/support/engine.hpp"

namespace ocelot::test {

class LiveVault {
 public:
  // The one of OCELOT_TEST_VAULT and OCELOT_TEST_VAULT_TOKEN (root's). Skips the test, saying why, where there is none.
  LiveVault();
  LiveVault(std::string url, std::string root)
      : url_(std::move(url)), root_(std::move(root)), http_({url_, "", "", kPatience}) {}

  // As root; the test fails when Vault does not answer 2xx.
  http::JsonView root(const std::string& method, const std::string& path, const std::string& body = "");
  const std::string& url() const { return url_; }
  const std::string& rootToken() const { return root_; }

  std::shared_ptr<secrets::VaultSession> session(secrets::VaultAuth auth);
  std::shared_ptr<secrets::VaultSession> asRoot();

 private:
  static constexpr std::chrono::milliseconds kPatience{30000};
  std::string url_, root_;
  secrets::VaultHttp http_;
};

// A key-value engine of its own, gone with its object.
class LiveMount {
 public:
  LiveMount(LiveVault& vault, int version);
  ~LiveMount();
  LiveMount(const LiveMount&) = delete;
  LiveMount& operator=(const LiveMount&) = delete;
  const std::string& path() const { return path_; }

 private:
  LiveVault& vault_;
  const std::string path_;
};

// A role of AppRole under a policy, with its credentials as the configuration wants them.
class LiveAppRole {
 public:
  // `more`: of the role, as in ",\"token_ttl\":\"2s\"".
  LiveAppRole(LiveVault& vault, const std::string& policy, const std::string& more = "");
  ~LiveAppRole();
  LiveAppRole(const LiveAppRole&) = delete;
  LiveAppRole& operator=(const LiveAppRole&) = delete;
  secrets::VaultAuth auth() const;
  const std::string& name() const { return name_; }

 private:
  LiveVault& vault_;
  const std::string name_;
  TemporaryFolder folder_;
  std::string role_id_;
};

// A Vault of the test's own, so that it can be sealed and killed. Keeps everything in memory.
class OwnVault {
 public:
  OwnVault();
  ~OwnVault();
  LiveVault& vault() { return *vault_; }
  void unseal();
  void kill();

 private:
  TemporaryFolder folder_;
  std::unique_ptr<process::Child> server_;
  std::unique_ptr<LiveVault> vault_;
  std::string unseal_key_;
};

}  // namespace ocelot::test
