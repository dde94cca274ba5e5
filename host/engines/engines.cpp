#include "host/engines/engines.hpp"

#include <sys/random.h>

#include <stdexcept>

namespace ocelot::engines {

store::StoreSettings storeSettings(const config::Config& config, std::shared_ptr<store::Credentials> credentials) {
  store::StoreSettings settings;
  settings.kind = config.text("store.kind");
  settings.path = config.text("store.path");
  settings.dsn = config.text("store.dsn");
  settings.password = config.secret("store.password", {});
  if (settings.kind == "postgres" && config.has("store.vault_role"))
    settings.credentials = credentials ? std::move(credentials) : openVaultDatabase(config);
  settings.pool_size = static_cast<int>(config.number("store.pool"));
  return settings;
}

namespace {

std::unique_ptr<queue::Queue> openQueue(const config::Config& config, const store::StoreSettings& store,
                                        secrets::Secrets& secrets) {
  if (config.text("queue.kind") != "nsq") return queue::openStoreQueue(store);
  queue::NsqSettings nsq;
  for (const auto& text : config.list("queue.nsqd")) {
    try {
      nsq.nsqd.push_back(queue::parseNsqAddress(text, 4150));
    } catch (const std::invalid_argument& bad) {
      throw config::Invalid({{config.where("queue.nsqd"), std::string("queue.nsqd: ") + bad.what()}});
    }
  }
  for (const auto& text : config.list("queue.nsqlookupd"))
    nsq.nsqlookupd.push_back(text.find("://") == std::string::npos ? "http://" + text : text);
  nsq.tls = config.flag("queue.tls");
  nsq.ca = config.has("queue.ca") ? config.text("queue.ca") : config.text("tls.ca");
  nsq.certificate = config.text("queue.certificate");
  nsq.key = config.text("queue.key");
  nsq.auth = config.secret("queue.auth", resolverOf(secrets));
  try {
    return queue::openNsqQueue(nsq);
  } catch (const Error& bad) {
    throw config::Invalid({{config.where("queue.kind"), std::string("queue: ") + bad.what()}});
  }
}

}  // namespace

Engines open(const config::Config& config, std::shared_ptr<store::Credentials> credentials) {
  const store::StoreSettings settings = storeSettings(config, std::move(credentials));
  Engines engines;
  engines.credentials = settings.credentials;
  engines.store = store::open(settings);
  engines.store->migrate();
  engines.discovery = openDiscovery(config, *engines.store);
  engines.secrets = openSecrets(config, *engines.store);
  engines.queue = openQueue(config, settings, *engines.secrets);
  return engines;
}

config::Resolver resolverOf(secrets::Secrets& secrets) {
  return [&secrets](const std::string& name) { return secrets.find("system/" + name); };
}

// Whoever is first to put one there has made it, whole; nobody waits for anybody, who might have died meanwhile.
std::string sharedKey(Engines& engines, const std::string& name) {
  if (const auto known = engines.secrets->find(name)) return *known;
  std::string key(32, '\0');
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    throw std::runtime_error("make the key " + name + ": getrandom failed");
  if (engines.secrets->add(name, key)) return key;
  if (const auto known = engines.secrets->find(name)) return *known;
  throw std::runtime_error("make the key " + name +
                           ": the secret store says that there is one, and does not give it; in Vault, remove what an "
                           "earlier delete left (`vault kv metadata delete`)");
}

}  // namespace ocelot::engines
