// What was read can be written, and reads back as the same.

#include <cppunit/extensions/HelperMacros.h>

#include "host/config/config.hpp"

using namespace ocelot::config;

namespace {

Config combined(const std::string& yaml, const std::map<std::string, std::string>& environment = {}) {
  std::vector<Problem> problems;
  std::vector<Layer> layers{readYaml(yaml, "server.yaml", problems), readEnvironment(environment, problems)};
  return combine(layers, problems);
}

// Key, kind and value of each entry, a line each: not where it stood, nor that an instance is of the plugin of its
// name.
std::string shown(const Layer& layer) {
  std::string text;
  for (const Entry& entry : layer) {
    if (entry.key.ends_with("." + entry.value.text() + ".plugin")) continue;
    text += entry.key + (entry.value.is_list ? " =" : entry.value.is_secret ? " is secret" : " is");
    for (const std::string& item : entry.value.items) text += " <" + item + ">";
    text += "\n";
  }
  return text;
}

void readsBackTheSame(const Config& config) {
  const std::string yaml = writeYaml(config.written());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(yaml, shown(config.written()), shown(combined(yaml).written()));
}

class WritingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WritingTest);
  CPPUNIT_TEST(onlyWhatIsNotBuiltInIsWritten);
  CPPUNIT_TEST(everyFormOfAValueReadsBackTheSame);
  CPPUNIT_TEST(pluginsReadBackTheSame);
  CPPUNIT_TEST(textsThatLookLikeYamlStayTexts);
  CPPUNIT_TEST(theTextIsOneThatAPersonWouldWrite);
  CPPUNIT_TEST(aVariableIsNamedAsItIsRead);
  CPPUNIT_TEST(secretsAreKnownByTheirKeys);
  CPPUNIT_TEST_SUITE_END();

 public:
  void onlyWhatIsNotBuiltInIsWritten() {
    CPPUNIT_ASSERT_EQUAL(std::string(), writeYaml(combined("").written()));
    CPPUNIT_ASSERT_EQUAL(std::string("worker.slots is <3>\n"), shown(combined("worker: {slots: 3}").written()));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("what follows data_dir is built in", std::string("data_dir is </srv/ocelot>\n"),
                                 shown(combined("data_dir: /srv/ocelot").written()));
  }

  void everyFormOfAValueReadsBackTheSame() {
    readsBackTheSame(combined(R"(
data_dir: /srv/ocelot
worker: {slots: 3, tags: [gpu, "8g", a-b], min_free_disk: 5%, lease: 1m30s}
store: {kind: postgres, dsn: "host=db.example.org dbname=ocelot sslmode=verify-full"}
queue: {kind: nsq, nsqd: [nsq-1:4150, "[fd00::1]:4150"], tls: true, auth: !secret nsq}
admin: {public_url: "https://ci.example.org:7700"}
)"));
    readsBackTheSame(combined("worker: {tags: []}"));
  }

  void pluginsReadBackTheSame() {
    readsBackTheSame(combined(R"(
plugins:
  folders: [/usr/lib/ocelot/plugins, /srv/plugins]
  runtimes: [podman: {plugin: docker, socket: /run/podman.sock, tls: {ca: /a}}, oci, docker]
  vcs:
    git: {ssh_key: !secret deploy-key, known_hosts: "a ssh-ed25519 AAAA\nb ssh-ed25519 BBBB\n"}
    work: {plugin: git}
    gitea:
  notifiers: {chat: {plugin: webhook, url: "https://chat.example.org/#hook", events: [failed, passed]}}
)"));
    readsBackTheSame(combined("plugins: {runtimes: {docker: {socket: /run/d.sock}, oci: }}"));
    readsBackTheSame(combined("", {{"OCELOT_PLUGINS__RUNTIMES", "docker, oci"}}));
  }

  void textsThatLookLikeYamlStayTexts() {
    for (const std::string text :
         {"null", "~",   "true", "1.0",    "",         "- a",      "a: b", "#b",  "a #b", "[a", "{a",
          "*a",   "&a",  "!a",   "|",      ">",        "'",        "\"",   "\\",  "a\\n", "%a", "@a",
          "`a",   " a ", "a\tb", "a\nb\n", "\x01\x7f", "\xc3\xa4", "---",  "...", "? a",  ",",  ":"}) {
      Layer layer(1);
      layer[0].key = "plugins.vcs.git.option";
      layer[0].value.items = {text};
      const std::string yaml = writeYaml(layer);
      std::vector<Problem> problems;
      const Layer read = readYaml(yaml, "", problems);
      CPPUNIT_ASSERT_MESSAGE(yaml, problems.empty() && read.size() == 2);
      for (const Entry& entry : read)
        if (entry.key == layer[0].key) CPPUNIT_ASSERT_EQUAL_MESSAGE(yaml, text, entry.value.text());
    }
  }

  void theTextIsOneThatAPersonWouldWrite() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("plugins:\n"
                    "  runtimes:\n"
                    "    - oci\n"
                    "    - docker:\n"
                    "        socket: /run/d.sock\n"
                    "  vcs:\n"
                    "    gitea: {}\n"
                    "queue:\n"
                    "  auth: !secret nsq\n"
                    "  nsqd: [\"nsq-1:4150\", \"nsq-2:4150\"]\n"),
        writeYaml(combined("queue: {auth: !secret nsq, nsqd: [nsq-1:4150, nsq-2:4150]}\n"
                           "plugins: {runtimes: [oci, docker: {socket: /run/d.sock}], vcs: {gitea: {}}}")
                      .written()));
  }

  void aVariableIsNamedAsItIsRead() {
    CPPUNIT_ASSERT_EQUAL(std::string("OCELOT_STORE__PASSWORD"), variableOf("store.password"));
    CPPUNIT_ASSERT_EQUAL(std::string("OCELOT_WORKER__MIN_FREE_DISK"), variableOf("worker.min_free_disk"));
  }

  void secretsAreKnownByTheirKeys() {
    CPPUNIT_ASSERT(isSecret("store.password") && isSecret("queue.auth"));
    CPPUNIT_ASSERT(!isSecret("store.dsn") && !isSecret("plugins.vcs.git.ssh_key") && !isSecret("nonsense"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WritingTest);

}  // namespace
