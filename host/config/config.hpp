#pragma once
// What the operator wrote: one server.yaml for all daemons, laid over the built-in defaults, under the environment and
// the flags. Checked whole before anything starts: every mistake is told at once, each with its place.
//
//   defaults < file < shared document < OCELOT_… environment (and OCELOT_…_FILE) < --set key=value
//
// A layer is a list of entries. A Config does not change: a reload makes a new one. [any] thread may read it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/abi/option.h"

namespace ocelot::config {

// One mistake: where it stands ("/etc/ocelot/server.yaml:12", "OCELOT_WORKER__SLOTS", "--set") and what is wrong.
struct Problem {
  std::string where;
  std::string what;
};

// Every mistake that was found; what() lists them, one a line.
class Invalid : public std::runtime_error {
 public:
  explicit Invalid(std::vector<Problem> problems);
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

struct Value {
  std::vector<std::string> items;  // one, unless it is a list
  bool is_list = false;
  bool is_secret = false;           // written "!secret NAME": the one item is the name, not the value
  std::string where;                // for messages; "default" for a built-in one
  const std::string& text() const;  // the first item, or ""
};

struct Entry {
  std::string key;  // dotted: "worker.slots", "plugins.vcs.github.url"
  Value value;
};
using Layer = std::vector<Entry>;

// One plugin instance: section plugins.runtimes, plugins.vcs or plugins.notifiers. Its options are the plugin's own, so
// they are checked against the plugin's table when it is loaded; nested ones have dotted keys.
struct Instance {
  std::string name;    // "work-gitea"
  std::string plugin;  // "gitea"; the name when not written
  std::string where;
  std::map<std::string, Value> options;
};

// Gives a secret's value by its name, or nothing when there is none. May throw when the secret store is away.
using Resolver = std::function<std::optional<std::string>(const std::string& name)>;

// "5%" or "1GiB".
struct Share {
  double percent = 0;  // of the file system; 0: bytes holds
  std::int64_t bytes = 0;
  std::int64_t of(std::int64_t total_bytes) const;
};

// What to do when there is no such secret: the end of a sentence.
std::string howToSet(const std::string& secret);
// "store.password" → "OCELOT_STORE__PASSWORD"
std::string variableOf(std::string_view key);
// Its value must not stand in a file (of the tables; which options of plugins are secret only the plugins know).
bool isSecret(std::string_view key);

// The typed readers throw std::logic_error for a key that is in no table or of another type: a fault of the program.
class Config {
 public:
  Config() = default;
  explicit Config(std::map<std::string, Value> values) : values_(std::move(values)) {}

  bool has(std::string_view key) const;  // set to something other than ""
  std::string text(std::string_view key) const;
  std::int64_t number(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;
  std::int64_t size(std::string_view key) const;  // bytes
  Share share(std::string_view key) const;        // of a text key like worker.min_free_disk
  std::vector<std::string> list(std::string_view key) const;
  // A key of flag SECRET: "" when unset; looked up when written as !secret. Throws Invalid when there is no such
  // secret.
  std::string secret(std::string_view key, const Resolver& resolve) const;
  // Where the value comes from, for messages: "/etc/ocelot/server.yaml:12", "default".
  std::string where(std::string_view key) const;

  std::vector<Instance> runtimes() const;   // in order of preference
  std::vector<Instance> vcs() const;        // by name
  std::vector<Instance> notifiers() const;  // by name

  // All that is not built in, with the options of plugins, by key: combined again it is the same configuration.
  Layer written() const;

 private:
  const Value* find(std::string_view key, int type) const;
  std::vector<Instance> instances(const std::string& kind) const;
  std::map<std::string, Value> values_;
};

// ── the layers ──
// A mistake in the form (not YAML, a key twice, …) goes to `problems`; what could be read comes back all the same.
Layer readYaml(const std::string& text, const std::string& name, std::vector<Problem>& problems);
Layer readFile(const std::string& path, std::vector<Problem>& problems);  // at most 1 MiB
// The YAML that readYaml() reads as these entries. Keys are of the form that it allows.
std::string writeYaml(const Layer& layer);
// Variables OCELOT_A__B → a.b, and OCELOT_A__B_FILE → the content of that file without its last line end (unless
// a.b_file is a key itself). Other variables of that prefix belong to the client and to builds and are passed over.
Layer readEnvironment(const std::map<std::string, std::string>& environment, std::vector<Problem>& problems);
Layer readFlags(const std::vector<std::string>& key_value_pairs, std::vector<Problem>& problems);
std::map<std::string, std::string> processEnvironment();

// Lays the layers over the defaults, later wins, and checks the outcome. Throws Invalid.
Config combine(const std::vector<Layer>& layers, std::vector<Problem> problems = {});

// Gives the layer that is shared between machines; `local` has the keys that say where it is (consul.*, data_dir).
using SharedLayer = std::function<Layer(const Config& local, std::vector<Problem>& problems)>;

// The usual layers. `file` "" : none is read. Throws Invalid.
Config load(const std::string& file, const std::map<std::string, std::string>& environment,
            const std::vector<std::string>& key_value_pairs, const SharedLayer& shared = nullptr);

// ── the tables ──
struct Section {
  const char* name;              // "worker"; "" for the keys that stand alone
  const char* help;              // a sentence
  const ocelot_option* options;  // ends with a row of zeros; keys are whole: "worker.slots"
};
const std::vector<Section>& sections();
// What a key may be, "sqlite|postgres"; "" when free.
std::string_view choices(std::string_view key);

// The text of `ocelot config defaults`: a server.yaml with every key at its default, each explained.
std::string defaultsAnnotated();
// The tables as a page of the handbook (etc/guide/configuration.md).
std::string guidePage();

}  // namespace ocelot::config
