#include "host/config/config.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace ocelot::config;

namespace {

std::vector<Problem> problemsOf(const std::string& yaml, const std::map<std::string, std::string>& environment = {},
                                const std::vector<std::string>& flags = {}) {
  std::vector<Problem> problems;
  std::vector<Layer> layers{readYaml(yaml, "server.yaml", problems), readEnvironment(environment, problems),
                            readFlags(flags, problems)};
  try {
    combine(layers, problems);
  } catch (const Invalid& invalid) {
    return invalid.problems();
  }
  return {};
}

Config configOf(const std::string& yaml, const std::map<std::string, std::string>& environment = {},
                const std::vector<std::string>& flags = {}) {
  std::vector<Problem> problems;
  std::vector<Layer> layers{readYaml(yaml, "server.yaml", problems), readEnvironment(environment, problems),
                            readFlags(flags, problems)};
  return combine(layers, problems);
}

std::string onlyProblem(const std::string& yaml, const std::map<std::string, std::string>& environment = {},
                        const std::vector<std::string>& flags = {}) {
  const auto problems = problemsOf(yaml, environment, flags);
  if (problems.size() != 1) return Invalid(problems).what() + std::string(" [") + std::to_string(problems.size()) + "]";
  return problems[0].where + ": " + problems[0].what;
}

std::string readText(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// CMake compiles with absolute names.
std::string sourceTree() {
  std::string path = __FILE__;
  for (int up = 0; up < 4; ++up) path.resize(path.rfind('/'));
  return path;
}

// A file that goes with the test.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& content) {
    char name[] = "/tmp/ocelot-config-test-XXXXXX";
    const int fd = mkstemp(name);
    CPPUNIT_ASSERT(fd >= 0);
    path = name;
    std::ofstream(path) << content;
    ::close(fd);
  }
  ~TemporaryFile() { std::remove(path.c_str()); }
  std::string path;
};

}  // namespace

class ConfigTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ConfigTest);
  CPPUNIT_TEST(theDefaultsMakeAWholeConfiguration);
  CPPUNIT_TEST(defaultsFollowDataDir);
  CPPUNIT_TEST(laterLayersWin);
  CPPUNIT_TEST(everyMistakeIsToldAtOnceWithItsLine);
  CPPUNIT_TEST(unknownKeysGetASuggestion);
  CPPUNIT_TEST(wrongTypesAreNamed);
  CPPUNIT_TEST(keysThatMustStandTogetherDo);
  CPPUNIT_TEST(theEnvironmentIsRead);
  CPPUNIT_TEST(variablesOfOthersArePassedOver);
  CPPUNIT_TEST(aVariableCanNameAFile);
  CPPUNIT_TEST(secretsAreReferences);
  CPPUNIT_TEST(secretsInTheOpenAreRefused);
  CPPUNIT_TEST(runtimesKeepTheirOrder);
  CPPUNIT_TEST(providersStandSideBySide);
  CPPUNIT_TEST(badPluginSectionsAreRefused);
  CPPUNIT_TEST(hostileYamlIsRefused);
  CPPUNIT_TEST(filesThatCannotBeReadAreNamed);
  CPPUNIT_TEST(theAnnotatedDefaultsAreTheDefaults);
  CPPUNIT_TEST(theShippedFileIsShortAndRight);
  CPPUNIT_TEST(theGuidePageIsMadeFromTheTables);
  CPPUNIT_TEST(askingForAKeyThatIsInNoTableIsAFault);
  CPPUNIT_TEST_SUITE_END();

 public:
  void theDefaultsMakeAWholeConfiguration() {
    const Config config = configOf("");
    CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.1:7700"), config.text("admin.listen"));
    CPPUNIT_ASSERT_EQUAL(std::string("/var/lib/ocelot/store"), config.text("store.path"));
    CPPUNIT_ASSERT(config.duration("worker.lease") == std::chrono::seconds(30));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{64} << 20, config.size("worker.log_limit"));
    CPPUNIT_ASSERT_EQUAL(5.0, config.share("worker.min_free_disk").percent);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{50}, config.share("worker.min_free_disk").of(1000));
    CPPUNIT_ASSERT(config.flag("admin.redirect_logs"));
    CPPUNIT_ASSERT(!config.has("worker.name"));
    CPPUNIT_ASSERT_EQUAL(std::string(), config.text("worker.name"));
    CPPUNIT_ASSERT(config.list("worker.tags").empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, config.runtimes().size());
    CPPUNIT_ASSERT_EQUAL(std::string("oci"), config.runtimes()[0].plugin);
    CPPUNIT_ASSERT_EQUAL(std::string("git"), config.vcs().at(0).plugin);
    CPPUNIT_ASSERT(config.notifiers().empty());
    CPPUNIT_ASSERT_EQUAL(std::string("default"), config.where("worker.slots"));
  }

  void defaultsFollowDataDir() {
    const Config config = configOf("data_dir: /srv/ci\n");
    CPPUNIT_ASSERT_EQUAL(std::string("/srv/ci/store"), config.text("store.path"));
    CPPUNIT_ASSERT_EQUAL(std::string("/srv/ci/secret.key"), config.text("secrets.key_file"));
  }

  void laterLayersWin() {
    const std::string yaml = "worker:\n  slots: 2\n  name: file\n  tags: [a, b]\n";
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, configOf(yaml).number("worker.slots"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:2"), configOf(yaml).where("worker.slots"));
    const Config config = configOf(yaml, {{"OCELOT_WORKER__SLOTS", "3"}, {"OCELOT_WORKER__TAGS", "x, y,z"}},
                                   {"worker.slots=4", "log.level=debug"});
    CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, config.number("worker.slots"));
    CPPUNIT_ASSERT_EQUAL(std::string("file"), config.text("worker.name"));
    CPPUNIT_ASSERT((std::vector<std::string>{"x", "y", "z"}) == config.list("worker.tags"));
    CPPUNIT_ASSERT_EQUAL(std::string("--set worker.slots"), config.where("worker.slots"));
  }

  void everyMistakeIsToldAtOnceWithItsLine() {
    try {
      configOf("worker:\n  slots: many\n  tagz: [a]\nadmin:\n  listen: nowhere\nstore:\n  kind: oracle\n",
               {{"OCELOT_POLLER__THREADS", "0"}}, {"http.threads=x", "nonsense"});
      CPPUNIT_FAIL("was accepted");
    } catch (const Invalid& invalid) {
      CPPUNIT_ASSERT_EQUAL(
          std::string("--set: \"nonsense\" must be KEY=VALUE, as in worker.slots=4\n"
                      "server.yaml:2: worker.slots: must be a whole number, not \"many\"\n"
                      "server.yaml:3: worker.tagz: no such key (did you mean \"worker.tags\"?)\n"
                      "server.yaml:5: admin.listen: must be HOST:PORT, [IPV6]:PORT or unix:/PATH, not \"nowhere\"\n"
                      "server.yaml:7: store.kind: must be one of sqlite, postgres, not \"oracle\"\n"
                      "OCELOT_POLLER__THREADS: poller.threads: must be more than 0\n"
                      "--set http.threads: must be a whole number, not \"x\""),
          std::string(invalid.what()));
    }
  }

  void unknownKeysGetASuggestion() {
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: wroker: no such section (did you mean \"worker\"?)"),
                         onlyProblem("wroker: {slots: 2}\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: slots: no such key (did you mean \"worker.slots\"?)"),
                         onlyProblem("slots: 2\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: worker.zzzzzzzzzzzz: no such key"),
                         onlyProblem("worker: {zzzzzzzzzzzz: 2}\n"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("server.yaml:1: log.format: must be one of text, json, not \"jsn\" (did you mean \"json\"?)"),
        onlyProblem("log: {format: jsn}\n"));
  }

  void wrongTypesAreNamed() {
    const std::pair<const char*, const char*> cases[] = {
        {"worker: {slots: 1e3}", "worker.slots: must be a whole number, not \"1e3\""},
        {"worker: {slots: -1}", "worker.slots: must not be negative, as -1 is"},
        {"worker: {slots: [1, 2]}", "worker.slots: must be one value, not a list"},
        {"worker: {slots: {a: b}}", "worker.slots: must be one value, not keys with values"},
        {"worker: {tags: {a: b}}", "worker.tags: must be a list, not keys with values"},
        {"worker: {slots: }", "worker.slots: has no value"},
        {"worker: {slots: !secret n}", "worker.slots: cannot be a !secret: write the value itself"},
        {"worker: {slots: 99999999999999999999}", "worker.slots: must be a whole number, not \"99999999999999999999\""},
        {"worker: {lease: 30}", "worker.lease: must be a duration (\"10s\", \"5m\", \"1h30m\"), not \"30\""},
        {"worker: {log_limit: big}", "worker.log_limit: must be a size (\"64MiB\", \"1GiB\", \"4096\"), not \"big\""},
        {"worker: {max_build_timeout: 0s}", "worker.max_build_timeout: must be more than 0"},
        {"worker: {max_build_timeout: 31d}",
         "worker.max_build_timeout: must be at most 30d, as an ocelot.yml may ask for, not 31d"},
        {"worker: {kill_grace: 0s}", "worker.kill_grace: must be between 1s and 10m, not 0s"},
        {"worker: {kill_grace: 11m}", "worker.kill_grace: must be between 1s and 10m, not 11m"},
        {"worker: {tags: 'gpu, fast'}", "worker.tags: must be a list: [one, two]"},
        {"worker: {min_free_disk: 101%}",
         "worker.min_free_disk: must be a share of the disk (\"5%\") or a size (\"1GiB\"), not \"101%\""},
        {"worker: 5", "worker: must hold keys with values"},
        {"worker: {public_url: ci.example.org}",
         "worker.public_url: must be a URL that begins with http:// or https://, not \"ci.example.org\""},
        {"data_dir: var", "data_dir: must be an absolute path, not \"var\""},
        {"admin: {redirect_logs: yes}", "admin.redirect_logs: must be true or false, not \"yes\""},
        {"admin: {listen: '::1:70'}", "admin.listen: must be HOST:PORT, [IPV6]:PORT or unix:/PATH, not \"::1:70\""},
        {"worker: {name: \"a\\nb\"}", "worker.name: holds a control character"},
        {"queue: {kind: nsq}", "queue.kind: nsq needs queue.nsqd, as in [nsq1:4150, nsq2:4150], or queue.nsqlookupd"},
        {"secrets: {kind: vault}\nvault: {token_file: /t}",
         "secrets.kind: vault needs vault.url, as in https://vault.example.org:8200"},
        {"vault: {url: 'https://v', token_file: /t, build_role: r}\nsecrets: {kind: vault}",
         "vault.build_role: needs vault.kv_version, 1 or 2, as a build's pass may not ask for it"},
        {"store: {kind: postgres, dsn: 'host=db', vault_role: ocelot}\nvault: {token_file: /t}",
         "store.vault_role needs vault.url, as in https://vault.example.org:8200"},
        {"store: {vault_role: ocelot}\nvault: {url: 'https://v', token_file: /t}",
         "store.vault_role: is for store.kind: postgres"},
        {"store: {kind: postgres, dsn: 'host=db', vault_role: ocelot, password: !secret p}\n"
         "vault: {url: 'https://v', token_file: /t}",
         "store.password: store.vault_role has Vault make user and password; take this one out"},
        {"store: {kind: postgres, dsn: 'host=db', vault_role: '../x'}\nvault: {url: 'https://v', token_file: /t}",
         "store.vault_role: must be a path like \"team/ocelot\", letters, digits, '.', '_' and '-' between single "
         "slashes"},
        {"vault: {mount: '/secret'}",
         "vault.mount: must be a path like \"team/ocelot\", letters, digits, '.', '_' and '-' between single slashes"},
        {"consul: {prefix: ''}", "consul.prefix: must not be empty"},
    };
    for (const auto& [yaml, what] : cases) {
      CPPUNIT_ASSERT_EQUAL("server.yaml:1: " + std::string(what), onlyProblem(yaml));
    }
    CPPUNIT_ASSERT(problemsOf("admin: {listen: 'unix:/run/a.sock'}\nworker: {listen: '[::1]:80', tags: []}\n").empty());
  }

  void keysThatMustStandTogetherDo() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("server.yaml:1: store.kind: postgres needs store.dsn, as in \"host=db dbname=ocelot\""),
        onlyProblem("store: {kind: postgres}"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: tls.key: needs tls.certificate too"),
                         onlyProblem("tls: {key: /k}"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("server.yaml:1: worker.lease: must be at least three times worker.heartbeat, or one "
                    "lost renewal costs a build"),
        onlyProblem("worker: {lease: 6s}"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: worker.build_timeout: must be at most worker.max_build_timeout; "
                                     "raise that too"),
                         onlyProblem("worker: {build_timeout: 25h}"));
    CPPUNIT_ASSERT(problemsOf("worker: {max_build_timeout: 30m}").empty());
  }

  void theEnvironmentIsRead() {
    const Config config = configOf("", {{"OCELOT_DATA_DIR", "/d"},
                                        {"OCELOT_PLUGINS__RUNTIMES", "docker,oci"},
                                        {"OCELOT_PLUGINS__RUNTIMES__DOCKER__HOST", "/s"}});
    CPPUNIT_ASSERT_EQUAL(std::string("/d"), config.text("data_dir"));
    CPPUNIT_ASSERT_EQUAL(std::string("docker"), config.runtimes().at(0).name);
    CPPUNIT_ASSERT_EQUAL(std::string("/s"), config.runtimes().at(0).options.at("host").text());
    CPPUNIT_ASSERT_EQUAL(
        std::string("OCELOT_WORKER__SLOTZ: worker.slotz: no such key (did you mean \"worker.slots\"?)"),
        onlyProblem("", {{"OCELOT_WORKER__SLOTZ", "1"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("OCELOT_WORKER_SLOTS: is no key (did you mean OCELOT_WORKER__SLOTS?)"),
                         onlyProblem("", {{"OCELOT_WORKER_SLOTS", "1"}}));
  }

  void variablesOfOthersArePassedOver() {
    CPPUNIT_ASSERT(problemsOf("", {{"OCELOT_URL", "http://x"},
                                   {"OCELOT_TOKEN", "t"},
                                   {"OCELOT_BUILD_ID", "7"},
                                   {"OCELOT_", ""},
                                   {"PATH", "/bin"}})
                       .empty());
  }

  void aVariableCanNameAFile() {
    const TemporaryFile file("s3cret\n");
    const Config config = configOf("", {{"OCELOT_STORE__PASSWORD_FILE", file.path}});
    CPPUNIT_ASSERT_EQUAL(std::string("s3cret"), config.secret("store.password", nullptr));
    CPPUNIT_ASSERT_EQUAL(std::string("/x"),
                         configOf("", {{"OCELOT_SECRETS__KEY_FILE", "/x"}}).text("secrets.key_file"));
    CPPUNIT_ASSERT_EQUAL(
        std::string("OCELOT_STORE__PASSWORD_FILE: store.password: /nowhere cannot be read: No such file or directory"),
        onlyProblem("", {{"OCELOT_STORE__PASSWORD_FILE", "/nowhere"}}));
    CPPUNIT_ASSERT_EQUAL(
        std::string("OCELOT_STORE__PASSWORD_FILE: store.password: is given twice, by OCELOT_STORE__PASSWORD too"),
        onlyProblem("", {{"OCELOT_STORE__PASSWORD_FILE", file.path}, {"OCELOT_STORE__PASSWORD", "x"}}));
  }

  void secretsAreReferences() {
    const Config config = configOf("store: {password: !secret db}\nplugins: {vcs: {w: {token: !secret t}}}\n");
    const Resolver resolve = [](const std::string& name) { return std::optional<std::string>("value of " + name); };
    CPPUNIT_ASSERT_EQUAL(std::string("value of db"), config.secret("store.password", resolve));
    CPPUNIT_ASSERT(config.vcs().at(1).options.at("token").is_secret);
    CPPUNIT_ASSERT_EQUAL(std::string("t"), config.vcs().at(1).options.at("token").text());
    try {
      config.secret("store.password", [](const std::string&) { return std::nullopt; });
      CPPUNIT_FAIL("was found");
    } catch (const Invalid& invalid) {
      CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: store.password: there is no secret named \"db\"; set it, on the "
                                       "machine of the store: ocelot secret set --system db"),
                           std::string(invalid.what()));
    }
  }

  void secretsInTheOpenAreRefused() {
    const std::string problem = onlyProblem("store: {password: hunter2}");
    CPPUNIT_ASSERT_EQUAL(
        std::string("server.yaml:1: store.password: a secret must not stand here: write !secret NAME, or "
                    "set OCELOT_STORE__PASSWORD_FILE"),
        problem);
    CPPUNIT_ASSERT(onlyProblem("", {}, {"store.password=hunter2"}).find("hunter2") == std::string::npos);
    CPPUNIT_ASSERT(onlyProblem("", {}, {"store.password=hunter2"}).find("command line") != std::string::npos);
  }

  void runtimesKeepTheirOrder() {
    const auto list =
        configOf("plugins:\n  runtimes:\n    - docker: {host: /s, net: {mtu: 1400}}\n    - oci\n").runtimes();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, list.size());
    CPPUNIT_ASSERT_EQUAL(std::string("docker"), list[0].name);
    CPPUNIT_ASSERT_EQUAL(std::string("/s"), list[0].options.at("host").text());
    CPPUNIT_ASSERT_EQUAL(std::string("1400"), list[0].options.at("net.mtu").text());
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:3"), list[0].options.at("host").where);
    CPPUNIT_ASSERT_EQUAL(std::string("oci"), list[1].plugin);
    const auto map = configOf("plugins: {runtimes: {z: {plugin: docker}, a: {plugin: oci}}}").runtimes();
    CPPUNIT_ASSERT_EQUAL(std::string("z"), map.at(0).name);
    CPPUNIT_ASSERT_EQUAL(std::string("docker"), map.at(0).plugin);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), map.at(1).name);
  }

  void providersStandSideBySide() {
    const auto vcs =
        configOf("plugins:\n  vcs:\n    work: {plugin: gitea, url: 'https://g', orgs: [a, b]}\n    gitea: \n").vcs();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, vcs.size());
    CPPUNIT_ASSERT_EQUAL(std::string("git"), vcs[0].name);
    CPPUNIT_ASSERT_EQUAL(std::string("gitea"), vcs[1].plugin);
    CPPUNIT_ASSERT_EQUAL(std::string("gitea"), vcs[2].plugin);
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:3"), vcs[2].where);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, vcs[2].options.at("orgs").items.size());
  }

  void badPluginSectionsAreRefused() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("server.yaml:1: plugins.vcs.git: must hold the plugin's options: {plugin: NAME, option: value}"),
        onlyProblem("plugins: {vcs: {git: yes}}"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: plugins.runtimes: must name at least one"),
                         onlyProblem("plugins: {runtimes: []}"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: plugins.runtimes: names one twice"),
                         onlyProblem("plugins: {runtimes: [oci, oci]}"));
    CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:1: plugins.vsc: no such section (did you mean \"plugins.vcs\"?)"),
                         onlyProblem("plugins: {vsc: {git: {}}}"));
    CPPUNIT_ASSERT(!problemsOf("", {{"OCELOT_PLUGINS__RUNTIMES__PODMAN__HOST", "/s"}}).empty());
  }

  void hostileYamlIsRefused() {
    const std::pair<std::string, std::string> cases[] = {
        {"worker: &a [*a]\n", ":1: aliases (*name) are not understood here: write the value out"},
        {"a: &a {b: *a}\n", ":1: aliases (*name) are not understood here: write the value out"},
        {"worker: {slots: 1, slots: 2}\n", ":1: the key \"slots\" stands twice, first with the value in line 1"},
        {"worker:\n  name: \"never closed\n", ":2: the quote that begins here is never closed"},
        {"worker: {slots: !!int 1}\n", ":1: the tag tag:yaml.org,2002:int is not understood here: only !secret is"},
        {"worker.slots: 1\n", ":1: the key \"worker.slots\" may hold letters, digits, _ and - only"},
        {"[1, 2]\n", ":1: must be keys with values, as in \"worker: {slots: 4}\""},
        {"? [a]\n: b\n", ":1: a key must be a word"},
        {"a: 1\n---\nb: 2\n", ": holds more than one document (a line ---)"},
        {std::string("a: \0", 4), ": is not text: it holds a NUL byte"},
    };
    for (const auto& [yaml, what] : cases) {
      const auto problems = problemsOf(yaml);
      CPPUNIT_ASSERT_MESSAGE(yaml, !problems.empty());
      CPPUNIT_ASSERT_EQUAL("server.yaml" + what, problems[0].where + ": " + problems[0].what);
    }
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += "[";
    CPPUNIT_ASSERT(!problemsOf("a: " + deep).empty());
    CPPUNIT_ASSERT(onlyProblem("a: {b: \n").find("server.yaml:") == 0);
    CPPUNIT_ASSERT(problemsOf("worker: {name: 'it''s', tags: [\"a \\\" b\"]}\n").empty());
  }

  void filesThatCannotBeReadAreNamed() {
    const auto problemOf = [](const std::string& path) {
      std::vector<Problem> problems;
      readFile(path, problems);
      return problems.empty() ? "" : problems[0].where + ": " + problems[0].what;
    };
    CPPUNIT_ASSERT_EQUAL(std::string("/nowhere/server.yaml: cannot be read: No such file or directory"),
                         problemOf("/nowhere/server.yaml"));
    CPPUNIT_ASSERT_EQUAL(std::string("/tmp: is a folder, not a file"), problemOf("/tmp"));
    const TemporaryFile large(std::string((1 << 20) + 1, '#'));
    CPPUNIT_ASSERT_EQUAL(large.path + ": is longer than 1048576 bytes", problemOf(large.path));
    const TemporaryFile empty("");
    CPPUNIT_ASSERT_EQUAL(std::string(), problemOf(empty.path));
  }

  void theAnnotatedDefaultsAreTheDefaults() {
    const std::string text = defaultsAnnotated();
    const Config read = configOf(text), built_in = configOf("");
    for (const Section& section : sections()) {
      for (const ocelot_option* option = section.options; option->key; ++option) {
        CPPUNIT_ASSERT_EQUAL_MESSAGE(option->key, built_in.has(option->key), read.has(option->key));
        const std::string key = option->key, word = key.substr(key.rfind('.') + 1) + ":";
        CPPUNIT_ASSERT_MESSAGE(key, text.find(word) != std::string::npos);
        if (option->type == OCELOT_LIST) CPPUNIT_ASSERT(read.list(key) == built_in.list(key));
        if (option->type == OCELOT_TEXT && !(option->flags & OCELOT_SECRET)) {
          CPPUNIT_ASSERT_EQUAL(built_in.text(key), read.text(key));
        }
      }
    }
  }

  void theShippedFileIsShortAndRight() {
    const std::string text = readText(sourceTree() + "/etc/server.yaml");
    CPPUNIT_ASSERT(!text.empty());
    CPPUNIT_ASSERT(std::count(text.begin(), text.end(), '\n') < 15);
    CPPUNIT_ASSERT(problemsOf(text).empty());
    // What is commented out is an example: it must be right as well.
    std::string live;
    std::istringstream lines(text.substr(text.find("\n\n")));
    for (std::string line; std::getline(lines, line);)
      live += (line.compare(0, 2, "# ") == 0 ? line.substr(2) : line) + "\n";
    CPPUNIT_ASSERT_EQUAL(std::string(), std::string(Invalid(problemsOf(live)).what()));
  }

  void theGuidePageIsMadeFromTheTables() {
    const std::string path = sourceTree() + "/etc/guide/configuration.md";
    if (std::getenv("OCELOT_WRITE_DOCS")) std::ofstream(path) << guidePage();
    CPPUNIT_ASSERT_MESSAGE("etc/guide/configuration.md is behind the tables: run this test with OCELOT_WRITE_DOCS=1",
                           readText(path) == guidePage());
  }

  void askingForAKeyThatIsInNoTableIsAFault() {
    const Config config = configOf("");
    CPPUNIT_ASSERT_THROW(config.text("worker.nonsense"), std::logic_error);
    CPPUNIT_ASSERT_THROW(config.number("worker.name"), std::logic_error);
    CPPUNIT_ASSERT_THROW(config.text("store.password"), std::logic_error);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ConfigTest);
