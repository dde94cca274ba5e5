#pragma once
// A Vault with one key-value engine of version 2 at secret/, that can be sealed and unsealed, and makes wrapped tokens
// with the role "ocelot-build".

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/fake_http.hpp"

namespace ocelot::test {

class FakeVault {
 public:
  FakeVault() : server_([this](const Asked& asked) { return reply(asked); }) {}

  std::string url() const { return server_.url(); }
  std::vector<Asked> asked() const { return server_.asked(); }
  // Whether each pass that was made is revoked.
  bool allRevoked() {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(revoked_.size()) == passes_;
  }
  void seal(bool sealed = true) {
    const std::lock_guard lock(mutex_);
    sealed_ = sealed;
  }

 private:
  std::string reply(const Asked& asked) {
    const std::lock_guard lock(mutex_);
    const std::string path = asked.target.substr(0, asked.target.find('?'));
    if (sealed_) return answer(503, R"({"errors":["Vault is sealed"],"sealed":true})");
    if (path == "/v1/sys/health") return answer(200, R"({"sealed":false})");
    if (revoked_.count(asked.header("x-vault-token"))) return answer(403, R"({"errors":["permission denied"]})");
    if (path == "/v1/auth/token/lookup-self") return answer(200, R"({"data":{"ttl":0,"renewable":false}})");
    if (path == "/v1/sys/internal/ui/mounts/secret")
      return answer(200, R"({"data":{"type":"kv","options":{"version":"2"}}})");
    if (path == "/v1/auth/token/create/ocelot-build" && asked.header("x-vault-wrap-ttl") == "60s")
      return answer(200, "{\"wrap_info\":{\"token\":\"wrapped-" + std::to_string(++passes_) + "\"}}");
    if (path == "/v1/sys/wrapping/unwrap" && asked.header("x-vault-token") == "wrapped-" + std::to_string(passes_))
      return answer(200, "{\"auth\":{\"client_token\":\"pass-" + std::to_string(passes_) + "\"}}");
    if (path == "/v1/auth/token/revoke-self") revoked_.insert(asked.header("x-vault-token"));
    if (path == "/v1/auth/token/revoke-self" || path.compare(0, 21, "/v1/sys/policies/acl/") == 0)
      return answer(204, "");
    const std::string data = "/v1/secret/data/", metadata = "/v1/secret/metadata/";
    if (path.compare(0, data.size(), data) == 0) return document(asked, path.substr(data.size()));
    if (path.compare(0, metadata.size(), metadata) == 0) return names(asked, path.substr(metadata.size()));
    return answer(404, R"({"errors":["no handler for route"]})");
  }

  std::string document(const Asked& asked, const std::string& name) {
    const auto found = documents_.find(name);
    if (asked.method == "GET")
      return found == documents_.end() ? answer(404, R"({"errors":[]})")
                                       : answer(200, "{\"data\":{\"data\":" + found->second + "}}");
    if (found != documents_.end() && asked.body.find("\"cas\":0") != std::string::npos)
      return answer(400, R"({"errors":["check-and-set parameter did not match the current version"]})");
    const auto begin = asked.body.find("\"data\":") + 7;
    documents_[name] = asked.body.substr(begin, asked.body.size() - begin - 1);
    return answer(200, R"({"data":{"version":1}})");
  }

  std::string names(const Asked& asked, const std::string& name) {
    if (asked.method == "DELETE") {
      documents_.erase(name);
      return answer(204, "");
    }
    if (asked.target.find("?list=true") == std::string::npos)
      return documents_.count(name) ? answer(200, R"({"data":{}})") : answer(404, R"({"errors":[]})");
    std::set<std::string> below;
    for (const auto& [one, value] : documents_) {
      if (one.compare(0, name.size() + 1, name + "/") != 0) continue;
      const std::string rest = one.substr(name.size() + 1);
      below.insert(rest.substr(0, std::min(rest.find('/'), rest.size() - 1) + 1));
    }
    if (below.empty()) return answer(404, R"({"errors":[]})");
    std::string keys;
    for (const auto& key : below) keys += (keys.empty() ? "\"" : ",\"") + key + "\"";
    return answer(200, "{\"data\":{\"keys\":[" + keys + "]}}");
  }

  std::mutex mutex_;
  bool sealed_ = false;
  int passes_ = 0;
  std::set<std::string> revoked_;
  std::map<std::string, std::string> documents_;
  FakeHttp server_;  // its threads go first
};

}  // namespace ocelot::test
