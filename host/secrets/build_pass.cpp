#include "host/secrets/build_pass.hpp"

#include "host/http/json.hpp"
#include "host/secrets/name.hpp"

namespace ocelot::secrets {
namespace {

constexpr const char* kWrappedFor = "60s";

class Pass final : public Secrets {
 public:
  Pass(std::shared_ptr<VaultSession> session, VaultKv kv)
      : session_(session), secrets_(openVaultSecrets(std::move(session), std::move(kv))) {}
  ~Pass() override {
    try {
      session_->ask("revoke the build's pass", {"POST", "auth/token/revoke-self", "{}", ""});
    } catch (const std::exception&) {
      // Its own end comes soon.
    }
  }
  std::optional<std::string> find(const std::string& name) override { return secrets_->find(name); }
  void put(const std::string& name, const std::string& value) override { secrets_->put(name, value); }
  bool add(const std::string& name, const std::string& value) override { return secrets_->add(name, value); }
  bool remove(const std::string& name) override { return secrets_->remove(name); }
  std::vector<std::string> names(const std::string& prefix) override { return secrets_->names(prefix); }
  std::string whyAway() override { return secrets_->whyAway(); }

 private:
  const std::shared_ptr<VaultSession> session_;
  const std::unique_ptr<Secrets> secrets_;
};

}  // namespace

PassOffice::PassOffice(std::shared_ptr<VaultSession> session, VaultKv kv, std::string role)
    : session_(std::move(session)), kv_(std::move(kv)), role_(std::move(role)) {}

// Written each time: it costs as much as asking, and mends one that somebody changed.
void PassOffice::requirePolicy(const std::string& name, const std::string& repo_id) {
  const std::string below = (kv_.prefix.empty() ? "" : kv_.prefix + "/") + "repo/" + repo_id;
  std::string rules;
  if (kv_.version == 1) {
    rules = "path \"" + kv_.mount + "/" + below + "/*\" { capabilities = [\"read\", \"list\"] }\npath \"" + kv_.mount +
            "/" + below + "\" { capabilities = [\"list\"] }\n";
  } else {
    rules = "path \"" + kv_.mount + "/data/" + below + "/*\" { capabilities = [\"read\"] }\npath \"" + kv_.mount +
            "/metadata/" + below + "/*\" { capabilities = [\"list\"] }\npath \"" + kv_.mount + "/metadata/" + below +
            "\" { capabilities = [\"list\"] }\n";
  }
  const std::string tried = "write Vault's policy " + name;
  const auto reply =
      session_->ask(tried, {"PUT", "sys/policies/acl/" + name, "{\"policy\":" + http::quoted(rules) + "}", ""});
  if (reply.status >= 300) vaultFailed(session_->http(), tried, said(reply));
}

std::string PassOffice::issue(const std::string& repo_id, std::chrono::seconds lifetime) {
  requireName(repo_id);
  const std::string policy = "ocelot-repo-" + repo_id;
  requirePolicy(policy, repo_id);
  const std::string ttl = std::to_string(lifetime.count()) + "s";
  http::JsonWriter body;
  body.object().key("policies").array().value(policy).end();
  body.field("ttl", ttl).field("explicit_max_ttl", ttl).field("renewable", false);
  body.field("display_name", "ocelot-build").end();
  const std::string tried = "make a pass with Vault's token role " + role_;
  const auto reply = session_->ask(tried, {"POST", "auth/token/create/" + role_, body.text(), kWrappedFor});
  const auto wrapped = reply.body["wrap_info"]["token"].text();
  if (reply.status != 200 || !wrapped)
    throw Refused(tried + ": Vault at " + session_->http().url() + ": " + said(reply) +
                  "; the role needs orphan=true and allowed_policies_glob=ocelot-repo-*");
  return *wrapped;
}

std::unique_ptr<Secrets> openPass(const VaultPlace& place, VaultKv kv, const std::string& wrapped, VaultLog log) {
  VaultHttp http(place);
  const std::string tried = "take the build's pass out of its wrapping";
  const auto reply = http.send(wrapped, {"POST", "sys/wrapping/unwrap", "", ""});
  const auto token = reply.body["auth"]["client_token"].text();
  if (reply.status != 200 || !token)
    throw Refused(tried + ": Vault at " + place.url + ": " + said(reply) +
                  "; either it came too late, or somebody else has taken it: look into Vault's audit log");
  VaultAuth auth;
  auth.token = *token;
  if (kv.version == 0) kv.version = 2;
  return std::make_unique<Pass>(std::make_shared<VaultSession>(place, std::move(auth), std::move(log)), std::move(kv));
}

}  // namespace ocelot::secrets
