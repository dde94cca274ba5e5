#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "host/http/json.hpp"
#include "host/secrets/name.hpp"
#include "host/secrets/vault.hpp"

namespace ocelot::secrets {
namespace {

constexpr std::size_t kMostNames = 10000;
constexpr int kDeepest = 16;

// Vault's documents are JSON, which holds text alone.
bool isText(const std::string& value) {
  // The writer of JSON puts U+FFFD where the bytes are not UTF-8. A text that holds that one itself is kept as bytes.
  return value.find('\0') == std::string::npos && http::quoted(value).find("\xEF\xBF\xBD") == std::string::npos;
}

void writeDocument(http::JsonWriter& out, const std::string& value) {
  out.object();
  if (isText(value)) {
    out.field("value", value);
  } else {
    out.field("value_base64", http::base64(value));
  }
  out.end();
}

class VaultSecrets final : public Secrets {
 public:
  VaultSecrets(std::shared_ptr<VaultSession> session, VaultKv kv) : session_(std::move(session)), kv_(std::move(kv)) {
    version_ = kv_.version;
  }

  std::optional<std::string> find(const std::string& name) override {
    requireName(name);
    const std::string tried = "read secret " + name;
    const auto reply = session_->ask(tried, {"GET", dataPath(name), "", ""});
    if (isNone(tried, reply)) return std::nullopt;
    requireGood(tried, reply);
    const auto data = reply.body["data"];
    return valueOf(tried, two() ? data["data"] : data);
  }

  void put(const std::string& name, const std::string& value) override {
    requireName(name);
    requireFitting(name, value);
    write(name, value, false);
  }

  bool add(const std::string& name, const std::string& value) override {
    requireName(name);
    requireFitting(name, value);
    // Version 1 has no "only if it is not there": two that add at the very same moment need a lock of their own.
    if (!two() && find(name)) return false;
    return write(name, value, two());
  }

  bool remove(const std::string& name) override {
    requireName(name);
    const std::string tried = "remove secret " + name;
    // With all its versions: what was removed is gone, not kept for an `undelete`.
    const std::string path = two() ? pathOf("metadata", name) : dataPath(name);
    const auto known = session_->ask(tried, {"GET", path, "", ""});
    if (isNone(tried, known)) return false;
    requireGood(tried, known);
    requireGood(tried, session_->ask(tried, {"DELETE", path, "", ""}));
    return true;
  }

  std::vector<std::string> names(const std::string& prefix) override {
    std::vector<std::string> found;
    const auto slash = prefix.rfind('/');
    if (slash != std::string::npos) requireName(prefix.substr(0, slash));
    list(slash == std::string::npos ? "" : prefix.substr(0, slash + 1), 0, found);
    std::erase_if(found, [&](const std::string& name) { return name.compare(0, prefix.size(), prefix) != 0; });
    std::sort(found.begin(), found.end());
    return found;
  }

  std::string whyAway() override {
    std::string why = session_->whyAway();
    if (!why.empty()) return why;
    try {
      two();
    } catch (const std::exception& error) {
      why = error.what();
    }
    return why;
  }

 private:
  bool two() {
    if (version_ == 0) version_ = askVersion();
    return version_ == 2;
  }

  int askVersion() {
    const std::string tried = "look at the secrets engine " + kv_.mount;
    const std::string advice =
        ": no key-value engine is there, or the policy allows nothing in it; enable one with "
        "`vault secrets enable -path=" +
        kv_.mount + " kv-v2`";
    // Vault does not tell an engine that is not there from one that we may not see.
    try {
      const auto reply = session_->ask(tried, {"GET", "sys/internal/ui/mounts/" + kv_.mount, "", ""});
      const auto data = reply.body["data"];
      if (reply.status != 200 || (data["type"].text() != "kv" && data["type"].text() != "generic"))
        throw Refused(tried + ": " + said(reply));
      return data["options"]["version"].text() == "2" ? 2 : 1;
    } catch (const Refused& refused) {
      throw Refused(refused.what() + advice);
    }
  }

  std::string pathOf(const std::string& part, const std::string& name) const {
    return kv_.mount + (part.empty() ? "" : "/" + part) + (kv_.prefix.empty() ? "" : "/" + kv_.prefix) +
           (name.empty() ? "" : "/" + name);
  }
  std::string dataPath(const std::string& name) { return pathOf(two() ? "data" : "", name); }

  // What Vault answers for a document that is not there. A path that no engine serves is 404 too, but with a reason.
  bool isNone(const std::string& tried, const VaultReply& reply) {
    if (reply.status != 404) return false;
    if (!reply.errors.empty()) vaultFailed(session_->http(), tried, said(reply) + "; check vault.mount");
    return true;
  }

  void requireGood(const std::string& tried, const VaultReply& reply) {
    if (reply.status >= 300) vaultFailed(session_->http(), tried, said(reply));
  }

  static std::string valueOf(const std::string& tried, const http::JsonView& document) {
    std::optional<std::string> value = document["value"].text();
    if (const auto encoded = document["value_base64"].text(); encoded && !value) value = http::fromBase64(*encoded);
    if (!value)
      throw Refused(tried +
                    ": the document in Vault has neither a text `value` nor `value_base64`; write it with "
                    "`vault kv put … value=…`");
    if (value->size() > kLongestValue)
      throw Refused(tried + ": it has " + std::to_string(value->size()) + " bytes, at most 65536 are allowed");
    return *value;
  }

  bool write(const std::string& name, const std::string& value, bool only_new) {
    const std::string tried = "put secret " + name;
    http::JsonWriter body;
    if (two()) {
      body.object();
      if (only_new) body.key("options").object().field("cas", 0).end();
      body.key("data");
      writeDocument(body, value);
      body.end();
    } else {
      writeDocument(body, value);
    }
    const auto reply = session_->ask(tried, {"POST", dataPath(name), body.text(), ""});
    if (only_new && reply.status == 400 && reply.errors.find("check-and-set") != std::string::npos) return false;
    requireGood(tried, reply);
    return true;
  }

  // Everything below a folder ("repo/1/"), whole names. A name that Ocelot cannot have is somebody else's.
  void list(const std::string& folder, int depth, std::vector<std::string>& found) {
    const std::string tried = "list secrets below " + folder;
    const std::string within = folder.empty() ? "" : folder.substr(0, folder.size() - 1);
    const auto reply = session_->ask(tried, {"GET", pathOf(two() ? "metadata" : "", within) + "?list=true", "", ""});
    if (isNone(tried, reply)) return;
    requireGood(tried, reply);
    for (const auto& key : reply.body["data"]["keys"].texts()) {
      const bool is_folder = !key.empty() && key.back() == '/';
      try {
        requireName(folder + (is_folder ? key.substr(0, key.size() - 1) : key));
      } catch (const std::invalid_argument&) {
        continue;
      }
      if (is_folder && depth < kDeepest) list(folder + key, depth + 1, found);
      if (!is_folder) found.push_back(folder + key);
      if (found.size() > kMostNames)
        vaultFailed(session_->http(), tried, "there are more than " + std::to_string(kMostNames));
    }
  }

  const std::shared_ptr<VaultSession> session_;
  const VaultKv kv_;
  std::atomic<int> version_{0};  // 0: not asked yet
};

}  // namespace

std::unique_ptr<Secrets> openVaultSecrets(std::shared_ptr<VaultSession> session, VaultKv kv) {
  return std::make_unique<VaultSecrets>(std::move(session), std::move(kv));
}

}  // namespace ocelot::secrets
