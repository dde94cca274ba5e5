#include "components/cli/join/carried.hpp"

#include <algorithm>
#include <sstream>

#include "host/config/tables.hpp"

namespace ocelot::cli {
namespace {

// A variable has no capitals and no dashes to tell apart, and a key is also the name of a file.
bool isOfVariable(const std::string& key) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  return !key.empty() && key.size() <= 200 && key[0] != '.' && std::all_of(key.begin(), key.end(), fits);
}

}  // namespace

const std::vector<Carried>& carriedFiles() {
  using As = Carried::As;
  static const std::vector<Carried> all{{As::path, "secrets.key_file", "secret.key"},
                                        {As::path, "tls.ca", "tls-ca.pem"},
                                        {As::path, "queue.ca", "queue-ca.pem"},
                                        {As::path, "queue.certificate", "queue.pem"},
                                        {As::path, "queue.key", "queue-key.pem"},
                                        {As::path, "consul.ca", "consul-ca.pem"},
                                        {As::path, "vault.ca", "vault-ca.pem"},
                                        {As::path, "vault.token_file", "vault-token"},
                                        {As::path, "vault.secret_id_file", "vault-secret-id"},
                                        {As::dsn_option, "sslrootcert", "store-ca.pem"},
                                        {As::dsn_option, "sslcert", "store.pem"},
                                        {As::dsn_option, "sslkey", "store-key.pem"}};
  return all;
}

std::optional<Carried> carriedSecret(const std::string& key) {
  const std::string kind = config::instanceKey(key).kind;
  if (!isOfVariable(key) || (!config::isSecret(key) && kind != "vcs" && kind != "runtimes")) return std::nullopt;
  return Carried{Carried::As::variable, key, key};
}

std::optional<Carried> carriedAs(const std::string& name) {
  for (const Carried& file : carriedFiles())
    if (file.name == name) return file;
  return carriedSecret(name);
}

Dsn parseDsn(const std::string& text) {
  Dsn dsn;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto equals = std::min(word.find('='), word.size());
    dsn.emplace_back(word.substr(0, equals), word.substr(std::min(equals + 1, word.size())));
  }
  return dsn;
}

std::string textOf(const Dsn& dsn) {
  std::string text;
  for (const auto& [name, value] : dsn) text += (text.empty() ? "" : " ") + name + "=" + value;
  return text;
}

}  // namespace ocelot::cli
