// Every key of server.yaml. The defaults make a working installation on one machine; "{data_dir}" and "{run_dir}" in a
// default stand for those keys.

#include "host/config/config.hpp"

namespace ocelot::config {
namespace {

const ocelot_option kTop[] = {
    {"data_dir", OCELOT_PATH, 0, "/var/lib/ocelot",
     "what must survive a restart: database, logs, images, mirrors, keys"},
    {"run_dir", OCELOT_PATH, 0, "/run/ocelot", "what need not survive one: sockets, running builds; on tmpfs"},
    {},
};

const ocelot_option kAdmin[] = {
    {"admin.listen", OCELOT_TEXT, 0, "127.0.0.1:7700", "address and port of the REST interface"},
    {"admin.public_url", OCELOT_URL, 0, nullptr,
     "how people and commit statuses reach it; unset: http (with tls: https) at admin.listen"},
    {"admin.redirect_logs", OCELOT_FLAG, 0, "true",
     "send the command line to the worker for a live log; false where clients cannot reach workers"},
    {"admin.log_relays", OCELOT_NUMBER, 0, "100",
     "followers at once that read a worker's live log through admin; more read the store's copy, a second behind"},
    {"admin.reconcile_interval", OCELOT_DURATION, 0, "5s", "how often lost wake-ups and ended leases are looked for"},
    {"admin.max_attempts", OCELOT_NUMBER, 0, "3", "how often a build is begun before it ends in error"},
    {},
};

const ocelot_option kWorker[] = {
    {"worker.listen", OCELOT_TEXT, 0, "127.0.0.1:7701", "address and port of the log server"},
    {"worker.public_url", OCELOT_URL, 0, nullptr,
     "how clients reach it; unset: http (with tls: https) at worker.listen"},
    {"worker.admin_url", OCELOT_LIST, 0, "http://127.0.0.1:7700",
     "every admin: while the database is away, builds go on as long as each says that it is away for it too"},
    {"worker.name", OCELOT_TEXT, 0, nullptr, "how it is called in lists; unset: the host name"},
    {"worker.slots", OCELOT_NUMBER, 0, "0", "builds at once; 0: one per core"},
    {"worker.tags", OCELOT_LIST, 0, nullptr, "machine tags whose builds it takes, beside the untagged ones"},
    {"worker.guest", OCELOT_PATH, 0, nullptr,
     "the ocelot-guest program; unset: beside ocelot-worker, or in ../lib/ocelot"},
    {"worker.lease", OCELOT_DURATION, 0, "30s", "how long a build stays this worker's without a renewal"},
    {"worker.heartbeat", OCELOT_DURATION, 0, "5s", "time between renewals"},
    {"worker.drain_timeout", OCELOT_DURATION, 0, "1h", "on SIGTERM, how long running builds may go on"},
    {"worker.mirror_keep", OCELOT_DURATION, 0, "30d",
     "the copy of a repository that no build has used for so long goes; 0: it stays"},
    {"worker.min_free_disk", OCELOT_TEXT, 0, "5%",
     "no new builds while data_dir's file system has less; a share (5%) or a size (1GiB)"},
    {"worker.build_timeout", OCELOT_DURATION, 0, "1h", "of a build whose ocelot.yml names none"},
    {"worker.max_build_timeout", OCELOT_DURATION, 0, "24h", "the most that an ocelot.yml gets, whatever it asks for"},
    {"worker.kill_grace", OCELOT_DURATION, 0, "10s", "between TERM and KILL of a stage that is to end; 1s to 10m"},
    {"worker.memory_limit", OCELOT_SIZE, 0, "0", "of a build, and the most that an ocelot.yml may ask for; 0: none"},
    {"worker.cpu_limit", OCELOT_NUMBER, 0, "0", "the same, in thousandths of a core; 0: none"},
    {"worker.pids_limit", OCELOT_NUMBER, 0, "4096", "the same, of processes; 0: none"},
    {"worker.network", OCELOT_TEXT, 0, "bridge", "what builds see of the network"},
    {"worker.log_limit", OCELOT_SIZE, 0, "64MiB", "log of one build; what is beyond is dropped, with a marker"},
    {"worker.local_repos", OCELOT_LIST, 0, nullptr, "folders that repositories given as a local path may lie in"},
    {"worker.registry_mirror", OCELOT_TEXT, 0, nullptr, "host asked for docker.io images instead of Docker Hub"},
    {},
};

const ocelot_option kHookhandler[] = {
    {"hookhandler.listen", OCELOT_TEXT, 0, "127.0.0.1:7702", "address and port that receive webhooks"},
    {"hookhandler.public_url", OCELOT_URL, 0, nullptr,
     "how forges reach it, told with each repository; unset: http (with tls: https) at hookhandler.listen"},
    {"hookhandler.max_body", OCELOT_SIZE, 0, "5MiB", "a longer webhook is refused; GitHub sends up to 25MiB"},
    {},
};

const ocelot_option kPoller[] = {
    {"poller.listen", OCELOT_TEXT, 0, "127.0.0.1:7703", "address and port of its health page"},
    {"poller.min_interval", OCELOT_DURATION, 0, "10s", "a repository is never asked more often"},
    {"poller.threads", OCELOT_NUMBER, 0, "4", "repositories asked at once"},
    {},
};

const ocelot_option kHttp[] = {
    {"http.threads", OCELOT_NUMBER, 0, "16", "requests answered at once"},
    {"http.streams", OCELOT_NUMBER, 0, "256", "followers of logs at once, beside the requests"},
    {"http.connections", OCELOT_NUMBER, 0, "1024", "open connections"},
    {"http.connections_per_peer", OCELOT_NUMBER, 0, "128", "open connections of one address; behind a proxy: more"},
    {},
};

const ocelot_option kStore[] = {
    {"store.kind", OCELOT_TEXT, 0, "sqlite", "where builds, logs and tokens are kept"},
    {"store.path", OCELOT_PATH, 0, "{data_dir}/store",
     "sqlite: the folder of database and logs; no network file system"},
    {"store.dsn", OCELOT_TEXT, 0, nullptr, "postgres: \"host=db port=5432 dbname=ocelot user=ocelot\""},
    {"store.password", OCELOT_TEXT, OCELOT_SECRET, nullptr,
     "postgres: best given as OCELOT_STORE__PASSWORD_FILE, as a secret store may itself need the database"},
    {"store.vault_role", OCELOT_TEXT, 0, nullptr,
     "postgres: role of Vault's database engine that makes the accounts, instead of a user and a password"},
    {"store.pool", OCELOT_NUMBER, 0, "8", "sessions a daemon keeps open"},
    {},
};

const ocelot_option kQueue[] = {
    {"queue.kind", OCELOT_TEXT, 0, "store", "what wakes the workers: the store itself, or NSQ"},
    {"queue.nsqd", OCELOT_LIST, 0, nullptr, "nsq: addresses, host:4150; published to the first that takes it"},
    {"queue.nsqlookupd", OCELOT_LIST, 0, nullptr, "nsq: addresses, host:4161 or a URL, asked for (further) nsqd"},
    {"queue.tls", OCELOT_FLAG, 0, "false", "nsq: encrypted to nsqd, whose certificate must be for its address"},
    {"queue.ca", OCELOT_PATH, 0, nullptr, "nsq: PEM of the authorities that sign its certificate; unset: tls.ca"},
    {"queue.certificate", OCELOT_PATH, 0, nullptr, "nsq: ours, PEM, where nsqd asks for one; together with queue.key"},
    {"queue.key", OCELOT_PATH, 0, nullptr, "nsq: PEM, without a passphrase"},
    {"queue.auth", OCELOT_TEXT, OCELOT_SECRET, nullptr, "nsq: the secret for its authorization server"},
    {},
};

const ocelot_option kDiscovery[] = {
    {"discovery.kind", OCELOT_TEXT, 0, "store", "how daemons find each other: by the store, or by Consul"},
    {},
};

const ocelot_option kConsul[] = {
    {"consul.url", OCELOT_URL, 0, "http://127.0.0.1:8500", "Consul's agent, best the one of this machine"},
    {"consul.ca", OCELOT_PATH, 0, nullptr, "PEM of the authorities that sign its certificate; unset: the system's"},
    {"consul.token", OCELOT_TEXT, OCELOT_SECRET, nullptr,
     "ACL token; given as OCELOT_CONSUL__TOKEN or OCELOT_CONSUL__TOKEN_FILE"},
    {"consul.datacenter", OCELOT_TEXT, 0, nullptr, "unset: the agent's own"},
    {"consul.prefix", OCELOT_TEXT, 0, "ocelot", "Ocelot's keys lie below this path"},
    {"consul.config", OCELOT_FLAG, 0, "false",
     "lay the YAML at PREFIX/config over this file, and watch it: shared between all daemons"},
    {},
};

const ocelot_option kSecrets[] = {
    {"secrets.kind", OCELOT_TEXT, 0, "store", "where secrets are kept: encrypted in the store, or in Vault"},
    {"secrets.key_file", OCELOT_PATH, 0, "{data_dir}/secret.key",
     "store: the key that opens them (0600, made on first use); keep a copy apart from the database's"},
    {},
};

const ocelot_option kVault[] = {
    {"vault.url", OCELOT_URL, 0, nullptr, "where Vault answers: https://vault.example.org:8200"},
    {"vault.ca", OCELOT_PATH, 0, nullptr, "PEM of the authorities that sign its certificate; unset: the system's"},
    {"vault.namespace", OCELOT_TEXT, 0, nullptr, "sent as X-Vault-Namespace (Vault Enterprise)"},
    {"vault.mount", OCELOT_TEXT, 0, "secret", "the key-value engine"},
    {"vault.prefix", OCELOT_TEXT, 0, "ocelot", "everything of Ocelot's lies below this path of it; \"\": at its root"},
    {"vault.kv_version", OCELOT_NUMBER, 0, "0", "of the key-value engine, 1 or 2; 0: Vault is asked"},
    {"vault.auth", OCELOT_TEXT, 0, "token", "how Ocelot logs in"},
    {"vault.auth_mount", OCELOT_TEXT, 0, nullptr, "where that method is enabled; unset: under its own name"},
    {"vault.token", OCELOT_TEXT, OCELOT_SECRET, nullptr, "auth token: given as OCELOT_VAULT__TOKEN"},
    {"vault.token_file", OCELOT_PATH, 0, nullptr, "auth token: a file with it, read again whenever it has ended"},
    {"vault.role_id", OCELOT_TEXT, 0, nullptr, "auth approle"},
    {"vault.secret_id_file", OCELOT_PATH, 0, nullptr, "auth approle: a file with the secret id, read at each login"},
    {"vault.role", OCELOT_TEXT, 0, nullptr, "auth kubernetes"},
    {"vault.jwt_file", OCELOT_PATH, 0, "/var/run/secrets/kubernetes.io/serviceaccount/token",
     "auth kubernetes: the service account's token, read at each login"},
    {"vault.build_role", OCELOT_TEXT, 0, nullptr,
     "token role of which an admin makes a pass for each build; unset: workers read all secrets by themselves"},
    {"vault.database_mount", OCELOT_TEXT, 0, "database", "the database engine, for store.vault_role"},
    {"vault.timeout", OCELOT_DURATION, 0, "10s", "how long one answer may take"},
    {},
};

const ocelot_option kPlugins[] = {
    {"plugins.folders", OCELOT_LIST, 0, "/usr/lib/ocelot/plugins",
     "where plugins are looked for; root's alone to write"},
    {"plugins.runtimes", OCELOT_LIST, 0, "oci",
     "what builds run in, first choice first; options of one: name: {option: value}"},
    {},
};

const ocelot_option kLog[] = {
    {"log.format", OCELOT_TEXT, 0, "text", "of the daemons' own lines, on stderr"},
    {"log.level", OCELOT_TEXT, 0, "info", "the least that is written; SIGHUP takes it over"},
    {},
};

const ocelot_option kTls[] = {
    {"tls.certificate", OCELOT_PATH, 0, nullptr, "PEM, with its chain; together with tls.key: https everywhere"},
    {"tls.key", OCELOT_PATH, 0, nullptr, "PEM, without a passphrase"},
    {"tls.ca", OCELOT_PATH, 0, nullptr,
     "PEM of the authorities that daemons trust among themselves; unset: the system's"},
    {},
};

const ocelot_option kRetention[] = {
    {"retention.keep_days", OCELOT_NUMBER, 0, "90", "finished builds older than this go; 0: no limit"},
    {"retention.keep_builds", OCELOT_NUMBER, 0, "1000", "finished builds kept per repository; 0: no limit"},
    {"retention.keep_audit", OCELOT_NUMBER, 0, "365", "days for which it is known who changed what; 0: no limit"},
    {"retention.keep_disk", OCELOT_TEXT, 0, "20%", "what all logs may take; a share of the disk or a size"},
    {},
};

const std::pair<std::string_view, std::string_view> kChoices[] = {
    {"store.kind", "sqlite|postgres"},          {"queue.kind", "store|nsq"},
    {"discovery.kind", "store|consul"},         {"secrets.kind", "store|vault"},
    {"vault.auth", "token|approle|kubernetes"}, {"log.format", "text|json"},
    {"log.level", "debug|info|warning|error"},  {"worker.network", "bridge|none|host"},
};

}  // namespace

const std::vector<Section>& sections() {
  static const std::vector<Section> all = {
      {"", "Where Ocelot keeps things.", kTop},
      {"admin", "ocelot-admin: answers clients, keeps the books.", kAdmin},
      {"worker", "ocelot-worker: runs builds, serves their live logs.", kWorker},
      {"hookhandler", "ocelot-hookhandler: receives webhooks.", kHookhandler},
      {"poller", "ocelot-poller: looks for new commits.", kPoller},
      {"http", "The HTTP server of each daemon.", kHttp},
      {"store", "The database.", kStore},
      {"queue", "The queue.", kQueue},
      {"discovery", "The register of live workers.", kDiscovery},
      {"consul", "HashiCorp Consul, for discovery.kind: consul and for shared configuration.", kConsul},
      {"secrets", "The secret store.", kSecrets},
      {"vault", "HashiCorp Vault, for secrets.kind: vault and for store.vault_role.", kVault},
      {"plugins", "Container runtimes, version control providers, notifiers.", kPlugins},
      {"log", "What the daemons write about themselves.", kLog},
      {"tls", "Encryption of the daemons' own ports.", kTls},
      {"retention", "How long finished builds are kept. The last passed build of a branch always stays.", kRetention},
  };
  return all;
}

std::string_view choices(std::string_view key) {
  for (const auto& [of, what] : kChoices) {
    if (of == key) return what;
  }
  return "";
}

}  // namespace ocelot::config
