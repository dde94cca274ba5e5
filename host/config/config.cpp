#include "host/config/config.hpp"

#include <algorithm>
#include <set>

#include "host/config/tables.hpp"
#include "host/config/values.hpp"

namespace ocelot::config {
namespace {

std::string listed(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += (text.empty() ? "" : "\n") + (problem.where.empty() ? "" : problem.where + ": ") + problem.what;
  }
  return text;
}

Value builtIn(const ocelot_option& option) {
  Value value;
  value.where = "default";
  value.is_list = option.type == OCELOT_LIST;
  value.items = value.is_list ? splitList(option.fallback) : std::vector<std::string>{option.fallback};
  return value;
}

std::string unknownKey(const std::string& key) {
  const auto keys = allKeys();
  std::string meant = nearest(key, keys);
  if (meant.empty()) {  // the right word without its section, or in another one
    const std::string word = "." + key.substr(key.rfind('.') + 1);
    for (const std::string& candidate : keys) {
      if (candidate.size() > word.size() && candidate.substr(candidate.size() - word.size()) == word) meant = candidate;
    }
  }
  return key + ": no such key" + (meant.empty() ? "" : " (did you mean \"" + meant + "\"?)");
}

// A secret's value has no place in a file that people copy and commit.
bool isPlainSecretInFile(const ocelot_option& option, const Value& value) {
  return (option.flags & OCELOT_SECRET) && !value.is_secret && !value.text().empty() &&
         value.where.compare(0, 7, "OCELOT_") != 0;
}

void checkTogether(const Config& config, std::vector<Problem>& problems) {
  if (config.text("queue.kind") == "nsq" && !config.has("queue.nsqd") && !config.has("queue.nsqlookupd")) {
    problems.push_back({config.where("queue.kind"),
                        "queue.kind: nsq needs queue.nsqd, as in [nsq1:4150, nsq2:4150], or queue.nsqlookupd"});
  }
  if (config.text("store.kind") == "postgres" && !config.has("store.dsn")) {
    problems.push_back(
        {config.where("store.kind"), "store.kind: postgres needs store.dsn, as in \"host=db dbname=ocelot\""});
  }
  if (config.has("tls.certificate") != config.has("tls.key")) {
    const bool key = config.has("tls.key");
    problems.push_back({config.where(key ? "tls.key" : "tls.certificate"),
                        key ? "tls.key: needs tls.certificate too" : "tls.certificate: needs tls.key too"});
  }
  if (config.duration("worker.heartbeat") * 3 > config.duration("worker.lease")) {
    const bool lease = config.where("worker.lease") != "default";
    problems.push_back(
        {config.where(lease ? "worker.lease" : "worker.heartbeat"),
         "worker.lease: must be at least three times worker.heartbeat, or one lost renewal costs a build"});
  }
  // The default of the one is bounded by the other in silence; what was written is not.
  if (config.where("worker.build_timeout") != "default" &&
      config.duration("worker.build_timeout") > config.duration("worker.max_build_timeout")) {
    problems.push_back({config.where("worker.build_timeout"),
                        "worker.build_timeout: must be at most worker.max_build_timeout; raise that too"});
  }
}

// A key of Vault's without which the chosen way to log in is none.
void checkVault(const Config& config, std::vector<Problem>& problems) {
  const bool secrets = config.text("secrets.kind") == "vault";
  if (!secrets && !config.has("store.vault_role")) return;
  const char* const asked_by = secrets ? "secrets.kind" : "store.vault_role";
  const auto need = [&](const char* key, const std::string& why, const char* as) {
    if (!config.has(key)) problems.push_back({config.where(asked_by), why + " needs " + key + ", as in " + as});
  };
  need("vault.url", secrets ? "secrets.kind: vault" : "store.vault_role", "https://vault.example.org:8200");
  if (secrets) need("vault.mount", "secrets.kind: vault", "secret");
  if (config.has("store.vault_role")) {
    need("vault.database_mount", "store.vault_role", "database");
    if (config.text("store.kind") != "postgres")
      problems.push_back({config.where("store.vault_role"), "store.vault_role: is for store.kind: postgres"});
    if (config.has("store.password"))
      problems.push_back({config.where("store.password"),
                          "store.password: store.vault_role has Vault make user and password; take this one out"});
  }
  if (config.number("vault.kv_version") > 2)
    problems.push_back({config.where("vault.kv_version"), "vault.kv_version: must be 1, 2, or 0 to ask Vault"});
  if (config.has("vault.build_role") && config.number("vault.kv_version") == 0)
    problems.push_back({config.where("vault.build_role"),
                        "vault.build_role: needs vault.kv_version, 1 or 2, as a build's pass may not ask for it"});
  const std::string auth = config.text("vault.auth");
  if (auth == "approle") {
    need("vault.role_id", "vault.auth: approle", "the output of `vault read auth/approle/role/ocelot/role-id`");
    need("vault.secret_id_file", "vault.auth: approle", "/etc/ocelot/vault-secret-id");
  }
  if (auth == "kubernetes") need("vault.role", "vault.auth: kubernetes", "ocelot");
  if (auth == "token" && !config.has("vault.token"))
    need("vault.token_file", "vault.auth: token", "/run/vault-agent/token (or OCELOT_VAULT__TOKEN in the environment)");
}

void checkPaths(const Config& config, std::vector<Problem>& problems) {
  for (const char* key : {"vault.mount", "vault.prefix", "vault.auth_mount", "vault.database_mount", "store.vault_role",
                          "consul.prefix"}) {
    const std::string path = config.text(key);
    const bool edges = !path.empty() && (path.front() == '/' || path.back() == '/');
    const bool odd = path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") !=
                     std::string::npos;
    if (edges || odd || path.find("//") != std::string::npos || path.find("..") != std::string::npos)
      problems.push_back({config.where(key), std::string(key) + ": must be a path like \"team/ocelot\", letters, "
                                                                "digits, '.', '_' and '-' between single slashes"});
  }
  if (!config.has("consul.prefix"))
    problems.push_back({config.where("consul.prefix"), "consul.prefix: must not be empty"});
}

void checkInstances(const std::map<std::string, Value>& values, std::vector<Problem>& problems) {
  const auto order = values.find("plugins.runtimes");
  const std::vector<std::string> names = order == values.end() ? std::vector<std::string>() : order->second.items;
  if (names.empty()) {
    problems.push_back({order == values.end() ? "" : order->second.where, "plugins.runtimes: must name at least one"});
  }
  const std::set<std::string> once(names.begin(), names.end());
  if (once.size() != names.size()) problems.push_back({order->second.where, "plugins.runtimes: names one twice"});
  std::set<std::string> told;
  for (const auto& [key, value] : values) {
    const InstanceKey of = instanceKey(key);
    if (of.kind == "runtimes" && !once.count(of.name) && told.insert(of.name).second) {
      problems.push_back(
          {value.where, key + ": plugins.runtimes does not name \"" + of.name + "\"" + didYouMean(of.name, names)});
    }
  }
}

// "{data_dir}/store" → "/var/lib/ocelot/store"
void expandDefaults(std::map<std::string, Value>& values) {
  for (auto& [key, value] : values) {
    if (value.where != "default") continue;
    for (std::string& item : value.items) {
      for (const std::string root : {"data_dir", "run_dir"}) {
        const std::string mark = "{" + root + "}";
        const auto at = item.find(mark);
        if (at != std::string::npos) item.replace(at, mark.size(), values.at(root).text());
      }
    }
  }
}

// A flag says which key it is about, and so does what is wrong with it.
const std::vector<Problem>& namedOnce(std::vector<Problem>& problems) {
  for (Problem& problem : problems)
    if (const std::string key = problem.where.substr(0, 6) == "--set " ? problem.where.substr(6) + ": " : "";
        !key.empty() && problem.what.compare(0, key.size(), key) == 0)
      problem.what.erase(0, key.size());
  return problems;
}

}  // namespace

std::string howToSet(const std::string& secret) {
  return "; set it, on the machine of the store: ocelot secret set --system " + secret;
}

std::string variableOf(std::string_view key) {
  std::string name = "OCELOT_";
  for (const char c : key) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

bool isSecret(std::string_view key) {
  const ocelot_option* option = findOption(key);
  return option && (option->flags & OCELOT_SECRET);
}

Invalid::Invalid(std::vector<Problem> problems)
    : std::runtime_error(listed(namedOnce(problems))), problems_(std::move(problems)) {}

const std::string& Value::text() const {
  static const std::string none;
  return items.empty() ? none : items.front();
}

std::int64_t Share::of(std::int64_t total_bytes) const {
  return percent > 0 ? static_cast<std::int64_t>(static_cast<double>(total_bytes) * percent / 100) : bytes;
}

const Value* Config::find(std::string_view key, int type) const {
  const ocelot_option* option = findOption(key);
  if (!option) throw std::logic_error("config: no such key: " + std::string(key));
  if (type >= 0 && option->type != type) throw std::logic_error("config: another type: " + std::string(key));
  const auto found = values_.find(std::string(key));
  return found == values_.end() ? nullptr : &found->second;
}

bool Config::has(std::string_view key) const {
  const Value* value = find(key, -1);
  return value && std::any_of(value->items.begin(), value->items.end(), [](const auto& item) { return !item.empty(); });
}

std::string Config::text(std::string_view key) const {
  const ocelot_option* option = findOption(key);
  const Value* value = find(key, -1);
  const bool texty = option->type == OCELOT_TEXT || option->type == OCELOT_URL || option->type == OCELOT_PATH;
  if (!texty || (option->flags & OCELOT_SECRET)) throw std::logic_error("config: not a text: " + std::string(key));
  return value ? value->text() : "";
}

std::int64_t Config::number(std::string_view key) const {
  const Value* value = find(key, OCELOT_NUMBER);
  return value ? parseNumber(value->text()).value_or(0) : 0;
}

bool Config::flag(std::string_view key) const {
  const Value* value = find(key, OCELOT_FLAG);
  return value && parseFlag(value->text()).value_or(false);
}

std::chrono::milliseconds Config::duration(std::string_view key) const {
  const Value* value = find(key, OCELOT_DURATION);
  return std::chrono::milliseconds(value ? parseDuration(value->text()).value_or(0) : 0);
}

std::int64_t Config::size(std::string_view key) const {
  const Value* value = find(key, OCELOT_SIZE);
  return value ? parseSize(value->text()).value_or(0) : 0;
}

Share Config::share(std::string_view key) const {
  const std::string written = text(key);
  if (const auto percent = parsePercent(written)) return {*percent, 0};
  return {0, parseSize(written).value_or(0)};
}

std::vector<std::string> Config::list(std::string_view key) const {
  const Value* value = find(key, OCELOT_LIST);
  return value ? value->items : std::vector<std::string>();
}

std::string Config::secret(std::string_view key, const Resolver& resolve) const {
  const ocelot_option* option = findOption(key);
  const Value* value = find(key, -1);
  if (!(option->flags & OCELOT_SECRET)) throw std::logic_error("config: not a secret: " + std::string(key));
  if (!value || !value->is_secret) return value ? value->text() : "";
  if (const auto found = resolve ? resolve(value->text()) : std::nullopt) return *found;
  throw Invalid({{value->where, std::string(key) + ": there is no secret named \"" + value->text() + "\"" +
                                    howToSet(value->text())}});
}

std::string Config::where(std::string_view key) const {
  const Value* value = find(key, -1);
  return value ? value->where : "default";
}

std::vector<Instance> Config::instances(const std::string& kind) const {
  std::map<std::string, Instance> by_name;
  for (const auto& [key, value] : values_) {
    const InstanceKey of = instanceKey(key);
    if (of.kind != kind) continue;
    Instance& instance = by_name[of.name];
    instance.name = of.name;
    if (instance.where.empty()) instance.where = value.where;
    if (of.option == "plugin") {
      instance.plugin = value.text();
      instance.where = value.where;
    } else {
      instance.options[of.option] = value;
    }
  }
  std::vector<Instance> out;
  if (kind == "runtimes") {
    const auto order = values_.find("plugins.runtimes");
    if (order == values_.end()) return out;
    for (const std::string& name : order->second.items) {
      Instance& instance = by_name[name];
      instance.name = name;
      if (instance.where.empty()) instance.where = order->second.where;
      out.push_back(instance);
    }
  } else {
    for (auto& [name, instance] : by_name) out.push_back(std::move(instance));
  }
  for (Instance& instance : out) {
    if (instance.plugin.empty()) instance.plugin = instance.name;
  }
  return out;
}

std::vector<Instance> Config::runtimes() const { return instances("runtimes"); }
std::vector<Instance> Config::vcs() const { return instances("vcs"); }
std::vector<Instance> Config::notifiers() const { return instances("notifiers"); }

Layer Config::written() const {
  Layer layer;
  for (const auto& [key, value] : values_)
    if (value.where != "default") layer.push_back({key, value});
  return layer;
}

Config combine(const std::vector<Layer>& layers, std::vector<Problem> problems) {
  std::map<std::string, Value> values;
  for (const Section& section : sections()) {
    for (const ocelot_option* option = section.options; option->key; ++option) {
      if (option->fallback) values[option->key] = builtIn(*option);
    }
  }
  // Plain git works everywhere and needs no option: always there.
  Value git;
  git.items = {"git"};
  git.where = "default";
  values["plugins.vcs.git.plugin"] = git;

  const std::size_t before = problems.size();
  for (const Layer& layer : layers) {
    for (const Entry& entry : layer) {
      const ocelot_option* option = findOption(entry.key);
      if (!option && instanceKey(entry.key).kind.empty()) {
        problems.push_back({entry.value.where, unknownKey(entry.key)});
        continue;
      }
      std::string fault = option ? faultOf(*option, entry.value) : "";
      if (option && fault.empty() && isPlainSecretInFile(*option, entry.value)) {
        fault = "a secret must not stand here: write !secret NAME, or set " + variableOf(entry.key) + "_FILE";
      }
      if (!fault.empty()) {
        problems.push_back({entry.value.where, entry.key + ": " + fault});
        continue;
      }
      values[entry.key] = entry.value;
    }
  }
  expandDefaults(values);
  checkInstances(values, problems);
  Config config(std::move(values));
  // What keys say together is only looked at where each is right by itself.
  if (problems.size() == before) checkTogether(config, problems);
  if (problems.size() == before) checkVault(config, problems);
  if (problems.size() == before) checkPaths(config, problems);
  if (!problems.empty()) throw Invalid(std::move(problems));
  return config;
}

namespace {

// What says where the shared layer is, by itself: the rest may be wrong without that layer.
std::vector<Layer> bootstrapOf(std::vector<Layer> layers) {
  for (Layer& layer : layers)
    std::erase_if(
        layer, [](const Entry& entry) { return entry.key.compare(0, 7, "consul.") != 0 && entry.key != "data_dir"; });
  return layers;
}

}  // namespace

Config load(const std::string& file, const std::map<std::string, std::string>& environment,
            const std::vector<std::string>& key_value_pairs, const SharedLayer& shared) {
  std::vector<Problem> problems;
  std::vector<Layer> layers;
  if (!file.empty()) layers.push_back(readFile(file, problems));
  const auto over = static_cast<std::ptrdiff_t>(layers.size());
  layers.push_back(readEnvironment(environment, problems));
  layers.push_back(readFlags(key_value_pairs, problems));
  if (shared) layers.insert(layers.begin() + over, shared(combine(bootstrapOf(layers)), problems));
  return combine(layers, std::move(problems));
}

}  // namespace ocelot::config
