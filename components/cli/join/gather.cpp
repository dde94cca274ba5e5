#include "components/cli/join/gather.hpp"

#include <algorithm>

#include "components/cli/command.hpp"
#include "components/cli/join/carried.hpp"
#include "components/cli/join/reach.hpp"
#include "host/builddir/directory.hpp"
#include "host/config/tables.hpp"

namespace ocelot::cli {
namespace {

constexpr const char* kWhereToRead = "the handbook's \"Past one machine\" has the steps";

// Of this machine alone, or of daemons that a worker is not.
bool staysHere(const std::string& key) {
  for (const char* section : {"admin.", "hookhandler.", "poller.", "retention.", "plugins.notifiers."})
    if (key.starts_with(section)) return true;
  for (const char* own :
       {"data_dir", "run_dir", "store.path", "worker.name", "worker.slots", "worker.tags", "worker.listen",
        "worker.public_url", "worker.guest", "worker.admin_url", "tls.certificate", "tls.key"})
    if (key == own) return true;
  return false;
}

bool isMeant(const config::Config& config, const std::string& key) { return config.where(key).starts_with("--set "); }

void requireReachable(const config::Config& config, const std::string& key, const std::string& address) {
  if (isMeant(config, key) || !isOfThisMachine(hostOf(address))) return;
  throw Failure(
      config.where(key) + ": " + key + " is " + address + ", which another machine cannot reach",
      "write the address that it has for others; where the new machine has one of its own there, say so: --set " + key +
          "=" + address);
}

void requireReachableStore(const config::Config& config) {
  if (config.text("store.kind") != "postgres")
    throw Failure("the store is SQLite, in " + config.text("store.path") + ": only this machine reaches it",
                  "move it into PostgreSQL with `ocelot migrate` (--config names another server.yaml); " +
                      std::string(kWhereToRead));
  if (isMeant(config, "store.dsn")) return;
  bool named = false;
  for (const auto& [option, value] : parseDsn(config.text("store.dsn"))) {
    if (option != "host" && option != "hostaddr") continue;
    named = true;
    for (const std::string& host : commaSeparated(value))
      if (isOfThisMachine(host))
        throw Failure(config.where("store.dsn") + ": store.dsn has " + option + "=" + value +
                          ", which another machine cannot reach",
                      "write the name that PostgreSQL's machine has for others, let it listen there (listen_addresses, "
                      "pg_hba.conf); " +
                          std::string(kWhereToRead));
  }
  if (!named)
    throw Failure(config.where("store.dsn") + ": store.dsn names no host: that is the socket of this machine",
                  "add host= with the name that PostgreSQL's machine has for others");
}

void requireReachableEngines(const config::Config& config) {
  requireReachableStore(config);
  if (config.text("queue.kind") == "nsq")
    for (const char* key : {"queue.nsqd", "queue.nsqlookupd"})
      for (const std::string& address : config.list(key)) requireReachable(config, key, address);
  if (config.text("secrets.kind") == "vault" || config.has("store.vault_role"))
    requireReachable(config, "vault.url", config.text("vault.url"));
}

// Where a worker asks the admins. Consul's URL may be the loopback's, as each machine has an agent; an admin's may not.
std::vector<std::string> adminUrls(const config::Config& config) {
  const auto usable = [&](const char* key, const std::vector<std::string>& addresses) {
    return config.where(key) != "default" && config.has(key) &&
           (isMeant(config, key) || std::none_of(addresses.begin(), addresses.end(), [](const std::string& address) {
              return isOfThisMachine(hostOf(address));
            }));
  };
  if (const auto urls = config.list("worker.admin_url"); usable("worker.admin_url", urls)) return urls;
  if (const auto url = config.text("admin.public_url"); usable("admin.public_url", {url})) return {url};
  if (const auto listen = config.text("admin.listen"); usable("admin.listen", {listen}))
    return {(config.has("tls.certificate") ? "https://" : "http://") + listen};
  throw Failure("no address of ocelot-admin is known that another machine can reach",
                "set admin.public_url (https://ci.example.org:7700), and admin.listen to 0.0.0.0:7700 unless a proxy "
                "stands before it");
}

// The file that a key names, into the bundle.
void take(Bundle& bundle, const Carried& file, const std::string& path, const std::string& where) {
  const auto bytes = builddir::readIfPresent(path, kMostFileBytes);
  if (!bytes || bytes->empty())
    throw Failure(
        where + ": " + path + " cannot be read, or is empty, and a worker needs it",
        file.key == "secrets.key_file"
            ? "it is the key of the secrets, which ocelot-admin makes at its first start, in its own data_dir; "
              "set secrets.key_file to where it is, and run this as root"
            : "put it there, and run this as root");
  bundle.files[file.name] = *bytes;
}

void takeDsnFiles(Bundle& bundle, const config::Config& config) {
  for (const auto& [option, value] : parseDsn(config.text("store.dsn")))
    for (const Carried& file : carriedFiles())
      if (file.as == Carried::As::dsn_option && file.key == option && value.starts_with("/"))
        take(bundle, file, value, config.where("store.dsn") + ": store.dsn, " + option);
}

void takeNamedFiles(Bundle& bundle, const config::Config& config) {
  for (const Carried& file : carriedFiles()) {
    if (file.as != Carried::As::path || !config.has(file.key)) continue;
    if (file.key == "secrets.key_file" && config.text("secrets.kind") != "store") continue;
    // A token that is given itself comes first.
    if (file.key == "vault.token_file" && config.has("vault.token")) continue;
    take(bundle, file, config.text(file.key), config.where(file.key) + ": " + file.key);
  }
}

bool isCarriedPath(const std::string& key) {
  return std::any_of(carriedFiles().begin(), carriedFiles().end(),
                     [&](const Carried& file) { return file.as == Carried::As::path && file.key == key; });
}

config::Entry entry(const std::string& key, std::vector<std::string> items, bool is_list = false) {
  config::Entry one{key, {}};
  one.value.items = std::move(items);
  one.value.is_list = is_list;
  return one;
}

bool same(const config::Value& a, const config::Value& b) {
  return a.items == b.items && a.is_list == b.is_list && a.is_secret == b.is_secret;
}

// A plugin's own file or socket: which of its options are paths is known to the plugin, and what lies there may be a
// secret, so it is told rather than sent.
void tellOfPaths(const config::Entry& one, const NewWorker& worker, std::vector<std::string>& hints) {
  if (config::instanceKey(one.key).kind.empty() || one.value.is_secret) return;
  for (const std::string& item : one.value.items)
    if (item.starts_with("/"))
      hints.push_back(one.key + " is " + item + ": that is not sent along; " + worker.name +
                      " needs it at the same place, or another place for that key in its server.yaml");
}

// The text is read once more here, rather than wrongly there.
std::string written(const config::Layer& layer) {
  const std::string text = config::writeYaml(layer);
  std::vector<config::Problem> problems;
  const config::Layer read = config::readYaml(text, "the settings of the new worker", problems);
  if (!problems.empty()) throw config::Invalid(std::move(problems));
  for (const config::Entry& one : layer)
    if (std::none_of(read.begin(), read.end(),
                     [&](const config::Entry& other) { return other.key == one.key && same(other.value, one.value); }))
      throw Failure(one.value.where + ": " + one.key + " holds bytes that no server.yaml can", "write it as UTF-8");
  return text;
}

}  // namespace

Gathered gather(const config::Config& config, const NewWorker& worker) {
  requireReachableEngines(config);
  Gathered out;
  out.bundle.version = OCELOT_VERSION;
  config::Layer layer{entry("worker.name", {worker.name}), entry("worker.admin_url", adminUrls(config), true)};
  if (!worker.tags.empty()) layer.push_back(entry("worker.tags", worker.tags, true));
  if (worker.slots > 0) layer.push_back(entry("worker.slots", {std::to_string(worker.slots)}));
  takeNamedFiles(out.bundle, config);
  takeDsnFiles(out.bundle, config);
  for (const config::Entry& one : config.written()) {
    if (staysHere(one.key) || isCarriedPath(one.key)) continue;
    const auto secret = carriedSecret(one.key);
    const bool by_variable = one.value.where.starts_with("OCELOT_");
    if (secret && by_variable && !one.value.is_secret && !one.value.is_list) {
      out.bundle.files[secret->name] = one.value.text() + "\n";  // one line end is not the value's
    } else {
      tellOfPaths(one, worker, out.hints);
      layer.push_back(one);
    }
  }
  out.bundle.settings = written(layer);
  if (config.has("tls.certificate") && config.flag("admin.redirect_logs"))
    out.hints.push_back("the live logs of " + worker.name +
                        " go through ocelot-admin, as it has no certificate of its own; to have clients read them "
                        "there, give it tls.certificate, tls.key and an https worker.public_url");
  return out;
}

}  // namespace ocelot::cli
