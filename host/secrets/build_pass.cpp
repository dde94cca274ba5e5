#include "host/secrets/build_pass.hpp"

#include <algorithm>

#include "host/http/json.hpp"
#include "host/secrets/name.hpp"

namespace ocelot::secrets {
namespace {

constexpr const char* kWrappedFor = "60s";

class Pass final : public Secrets {
 public:
  Pass(std::shared_ptr<VaultSession> session, VaultKv kv)
      : session_(session), secrets_(openVaultSecrets(std::move(session), std::move(kv))) {
    session_->hold();
  }
  std::optional<std::string> find(const std::string& name) override {
    return held("read secret " + name, [&] { return secrets_->find(name); });
  }
  std::vector<std::string> names(const std::string& prefix) override {
    return held("list secrets below " + prefix, [&] { return secrets_->names(prefix); });
  }
  void put(const std::string& name, const std::string& value) override { secrets_->put(name, value); }
  bool add(const std::string& name, const std::string& value) override { return secrets_->add(name, value); }
  bool remove(const std::string& name) override { return secrets_->remove(name); }
  std::string whyAway() override { return secrets_->whyAway(); }

 private:
  template <class Reading>
  auto held(const std::string& tried, Reading reading) -> decltype(reading()) {
    try {
      return reading();
    } catch (const LoginRefused&) {
      throw Refused(tried + ": Vault at " + session_->http().url() +
                    " does not take the build's pass any more: its time is over and it cannot be renewed further, or "
                    "somebody revoked it; rerun the build, and where it was no longer than its time-out, see to "
                    "renewable and token_explicit_max_ttl in the token role of vault.build_role");
    }
  }

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
  // Of itself: to be renewed, and to be revoked, whatever else Vault's policy `default` says.
  for (const char* own : {"lookup-self\" { capabilities = [\"read\"] }", "renew-self\" { capabilities = [\"update\"] }",
                          "revoke-self\" { capabilities = [\"update\"] }"})
    rules += std::string("path \"auth/token/") + own + "\n";
  const std::string tried = "write Vault's policy " + name;
  const auto reply =
      session_->ask(tried, {"PUT", "sys/policies/acl/" + name, "{\"policy\":" + http::quoted(rules) + "}", ""});
  if (reply.status >= 300) vaultFailed(session_->http(), tried, said(reply));
}

std::string PassOffice::issue(const std::string& repo_id, std::chrono::seconds whole, std::chrono::seconds renewal) {
  requireName(repo_id);
  const std::string policy = "ocelot-repo-" + repo_id;
  requirePolicy(policy, repo_id);
  http::JsonWriter body;
  body.object().key("policies").array().value(policy).end();
  body.field("ttl", std::to_string(std::min(whole, renewal).count()) + "s");
  body.field("explicit_max_ttl", std::to_string(whole.count()) + "s").field("renewable", true);
  body.field("display_name", "ocelot-build").end();
  const std::string tried = "make a pass with Vault's token role " + role_;
  const auto reply = session_->ask(tried, {"POST", "auth/token/create/" + role_, body.text(), kWrappedFor});
  const auto wrapped = reply.body["wrap_info"]["token"].text();
  if (reply.status != 200 || !wrapped)
    throw Refused(tried + ": Vault at " + session_->http().url() + ": " + said(reply) +
                  "; the role needs orphan=true, renewable=true and allowed_policies_glob=ocelot-repo-*");
  return *wrapped;
}

UnwrappedPass unwrapPass(const VaultPlace& place, const std::string& wrapped) {
  VaultHttp http(place);
  const auto reply = http.send(wrapped, {"POST", "sys/wrapping/unwrap", "", ""});
  const auto token = reply.body["auth"]["client_token"].text();
  if (reply.status != 200 || !token)
    throw Refused("take the build's pass out of its wrapping: Vault at " + place.url + ": " + said(reply) +
                  "; either it came too late, or somebody else has taken it: look into Vault's audit log");
  const std::int64_t ttl = reply.body["auth"]["lease_duration"].number().value_or(0);
  return {*token, std::chrono::seconds(std::clamp<std::int64_t>(ttl, 0, kLongestPass.count())),
          reply.body["auth"]["renewable"].flag().value_or(false)};
}

std::unique_ptr<Secrets> openPass(const VaultPlace& place, VaultKv kv, const std::string& token, VaultLog log) {
  VaultAuth auth;
  auth.token = token;
  if (kv.version == 0) kv.version = 2;
  return std::make_unique<Pass>(std::make_shared<VaultSession>(place, std::move(auth), std::move(log)), std::move(kv));
}

void revokePass(const VaultPlace& place, const std::string& token) {
  // 403: it has ended before.
  const auto reply = VaultHttp(place).send(token, {"POST", "auth/token/revoke-self", "{}", ""});
  if (reply.status >= 300 && reply.status != 403)
    throw Unavailable("revoke the build's pass: Vault at " + place.url + ": " + said(reply));
}

}  // namespace ocelot::secrets
