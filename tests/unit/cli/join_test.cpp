// A machine becomes a worker: what is handed over, what is refused, and what is written there.

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "components/cli/join/bundle.hpp"
#include "components/cli/join/reach.hpp"
#include "components/cli/up/service_environment.hpp"
#include "host/config/config.hpp"
#include "host/http/json_view.hpp"
#include "host/process/process.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot;
using test::contains;
using test::Ran;

namespace {

// An installation that another machine could join, but that nothing listens where its store is said to be.
constexpr const char* kInstallation = R"(
store: {kind: postgres, dsn: "host=db.example.org dbname=ocelot user=ocelot"}
secrets: {key_file: KEY}
admin: {listen: "0.0.0.0:7700", public_url: "https://ci.example.org:7700"}
worker: {slots: 7, tags: [here], public_url: "http://here:7701", memory_limit: 2GiB, local_repos: [/srv/git]}
queue: {kind: nsq, nsqd: ["nsq-1:4150"], auth: !secret nsq}
plugins: {runtimes: [oci, docker: {socket: /run/d.sock}], notifiers: {chat: {plugin: webhook, url: "https://c"}}}
data_dir: /srv/here
retention: {keep_days: 3}
)";
// A store that refuses at once, as the tests have none.
constexpr const char* kNoStore = "store.dsn=host=127.0.0.1 port=1 dbname=ocelot user=ocelot";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

// The lines between those of the shell.
std::string carriedBy(const std::string& command) {
  const auto begin = command.find('\n') + 1;
  std::string lines = command.substr(begin, command.rfind("OCELOT") - begin);
  std::erase(lines, '\n');
  return http::fromBase64(lines).value_or("");
}

process::Result shell(const std::string& script, const std::string& path) {
  process::Command command;
  command.program = "sh";
  command.input = script;
  command.environment = process::plainEnvironment();
  command.environment["PATH"] = path + ":" + command.environment["PATH"];
  SimpleCall call(std::chrono::seconds(20));
  return process::run(call, command);
}

class JoinTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JoinTest);
  CPPUNIT_TEST(theCommandRunsInAnyShellWithSudoOrWithout);
  CPPUNIT_TEST(whatIsOfThisMachineStaysHere);
  CPPUNIT_TEST(whatOnlyThisMachineReachesIsRefused);
  CPPUNIT_TEST(whatIsMeantByTheFlagIsTaken);
  CPPUNIT_TEST(anAdminThatOthersReachIsFound);
  CPPUNIT_TEST(aFileThatIsNotThereIsNamed);
  CPPUNIT_TEST(aPluginsPathIsToldAndNotSent);
  CPPUNIT_TEST(aNameIsAMachines);
  CPPUNIT_TEST(aCertificateOfThisMachineIsNotTheNewOnes);
  CPPUNIT_TEST(secretsAndFilesComeToLieBesideTheConfiguration);
  CPPUNIT_TEST(aConfigurationThatIsThereStays);
  CPPUNIT_TEST(whatIsNoCommandOfOursIsRefused);
  CPPUNIT_TEST(anotherVersionIsRefusedNamingBoth);
  CPPUNIT_TEST(linesOfOthersStayInTheEnvironment);
  CPPUNIT_TEST(aTokenComesAsAFileThatItsDaemonReads);
  CPPUNIT_TEST(whatThisProcessSaysComesBeforeTheFile);
  CPPUNIT_TEST(hostsOfThisMachineAreKnown);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<test::Person> person_;
  std::string config_;

 public:
  void setUp() override {
    person_ = std::make_unique<test::Person>();
    person_->file("key", "0123456789abcdef0123456789abcdef");
    config_ = replaced(kInstallation, "KEY", person_->folder() + "/key");
  }
  void tearDown() override { person_.reset(); }

  Ran add(const std::string& yaml, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"workers", "add", "build-3", "--config", person_->file("server.yaml", yaml)});
    return test::ocelot(more);
  }
  Ran join(const std::string& bundle, const std::vector<std::string>& more = {}) {
    const test::Typed typed(person_->file("bundle", bundle));
    std::vector<std::string> words{"workers", "join", "--dir", person_->folder() + "/new", "--address", "build-3.lan"};
    words.insert(words.end(), more.begin(), more.end());
    return test::ocelot(words);
  }
  void refused(const std::string& yaml, const std::vector<std::string>& parts, std::vector<std::string> more = {}) {
    const Ran ran = add(yaml, std::move(more));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 2, ran.status);
    CPPUNIT_ASSERT_EQUAL(std::string(), ran.out);
    for (const std::string& part : parts) CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, part));
  }
  config::Config written() const {
    const std::string folder = person_->folder() + "/new/";
    return config::load(folder + "server.yaml", cli::readEnvironmentFile(folder + "environment"), {});
  }

  void theCommandRunsInAnyShellWithSudoOrWithout() {
    const Ran ran = add(config_, {"--tags", "gpu,arm64", "--slots", "2"});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 0, ran.status);
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "show it to nobody"));
    const std::string programs = person_->folder() + "/programs";
    std::filesystem::create_directory(programs);
    for (const auto& [name, script] : {std::pair<std::string, std::string>{"ocelot", "echo \"$0 $*\"; cat"},
                                       {"sudo", "echo by sudo; exec \"$@\""},
                                       {"id", "echo ${ID:-0}"}}) {
      person_->file("programs/" + name, "#!/bin/sh\n" + script + "\n");
      ::chmod((programs + "/" + name).c_str(), 0755);
    }
    const auto root = shell(ran.out, programs);
    const std::string begin = programs + "/ocelot workers join\n";
    CPPUNIT_ASSERT_EQUAL_MESSAGE(root.err, begin + carriedBy(ran.out), root.out);
    const auto other = shell("export ID=1000\n" + ran.out, programs);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(other.err, "by sudo\n" + begin + carriedBy(ran.out), other.out);
  }

  void whatIsOfThisMachineStaysHere() {
    const Ran ran = add(config_, {"--tags", "gpu,arm64", "--slots", "2"});
    const auto bundle = cli::unpack(carriedBy(ran.out));
    std::vector<config::Problem> problems;
    const auto settings = config::combine({config::readYaml(bundle.settings, "settings", problems)}, problems);
    CPPUNIT_ASSERT_EQUAL(std::string("build-3"), settings.text("worker.name"));
    CPPUNIT_ASSERT((std::vector<std::string>{"gpu", "arm64"}) == settings.list("worker.tags"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, settings.number("worker.slots"));
    CPPUNIT_ASSERT(std::vector<std::string>{"https://ci.example.org:7700"} == settings.list("worker.admin_url"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2} << 30, settings.size("worker.memory_limit"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, settings.runtimes().size());
    for (const char* key : {"data_dir", "admin.listen", "admin.public_url", "worker.public_url", "retention.keep_days",
                            "secrets.key_file"})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(key, std::string("default"), settings.where(key));
    CPPUNIT_ASSERT(settings.notifiers().empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, bundle.files.size());
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789abcdef0123456789abcdef"), bundle.files.at("secret.key"));
    CPPUNIT_ASSERT(!contains(add(config_).out, "gpu"));
  }

  void whatOnlyThisMachineReachesIsRefused() {
    refused("admin: {public_url: \"https://ci.example.org\"}", {"the store is SQLite", "ocelot migrate"});
    for (const char* host :
         {"host=localhost", "host=127.0.0.1", "host=db,127.0.1.1", "host=/run/postgresql", "hostaddr=::1", "host="})
      refused(replaced(config_, "host=db.example.org", host), {"server.yaml:2", "another machine cannot reach"});
    refused(replaced(config_, "host=db.example.org ", ""), {"store.dsn names no host"});
    refused(replaced(config_, "nsq-1:4150", "[::1]:4150"), {"queue.nsqd is [::1]:4150", "--set queue.nsqd="});
    refused(replaced(config_, "nsqd: [\"nsq-1:4150\"]", "nsqlookupd: [\"http://localhost:4161\"]"),
            {"queue.nsqlookupd is http://localhost:4161"});
    refused(replaced(config_, "secrets: {",
                     "vault: {url: \"http://127.0.0.1:8200\", token_file: /t}\nsecrets: {kind: vault, "),
            {"vault.url is http://127.0.0.1:8200"});
  }

  void whatIsMeantByTheFlagIsTaken() {
    const Ran ran = add(replaced(config_, "nsq-1", "localhost"), {"--set", "queue.nsqd=localhost:4150"});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 0, ran.status);
    const Ran agent = add(config_ + "discovery: {kind: consul}\n");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("each machine has an agent of Consul's: " + agent.err, 0, agent.status);
  }

  void anAdminThatOthersReachIsFound() {
    const std::string without = replaced(config_, ", public_url: \"https://ci.example.org:7700\"", "");
    refused(without, {"no address of ocelot-admin", "admin.public_url"});
    refused(replaced(without, "0.0.0.0:7700", "127.0.0.1:7700"), {"no address of ocelot-admin"});
    for (const auto& [yaml, url] :
         {std::pair<std::string, std::string>{replaced(without, "0.0.0.0:7700", "10.0.0.7:7700"),
                                              "http://10.0.0.7:7700"},
          {replaced(config_, "slots: 7", "admin_url: \"http://admin-2:7700\""), "http://admin-2:7700"},
          {replaced(config_, "slots: 7", "admin_url: [\"http://admin-2:7700\", \"http://127.0.0.1:7700\"]"),
           "https://ci.example.org:7700"},
          {replaced(config_, "slots: 7", "admin_url: \"http://127.0.0.1:7700\""), "https://ci.example.org:7700"}}) {
      const auto bundle = cli::unpack(carriedBy(add(yaml).out));
      std::vector<config::Problem> problems;
      const auto settings = config::combine({config::readYaml(bundle.settings, "settings", problems)}, problems);
      CPPUNIT_ASSERT_MESSAGE(bundle.settings, std::vector<std::string>{url} == settings.list("worker.admin_url"));
    }
  }

  void aFileThatIsNotThereIsNamed() {
    std::filesystem::remove(person_->folder() + "/key");
    refused(config_, {"secrets.key_file", person_->folder() + "/key cannot be read", "ocelot-admin makes"});
    person_->file("key", "0123456789abcdef0123456789abcdef");
    refused(replaced(config_, "auth: !secret nsq", "tls: true, ca: /no/such/ca.pem"), {"queue.ca", "/no/such/ca.pem"});
    refused(replaced(config_, "dbname=", "sslrootcert=/no/such/root.pem dbname="),
            {"sslrootcert", "/no/such/root.pem"});
  }

  void aPluginsPathIsToldAndNotSent() {
    const std::string ca = "/etc/ocelot/work-ca.pem";
    const std::string vcs = replaced(
        config_, "plugins: {", "plugins: {vcs: {work: {plugin: gitea, url: \"https://git.lan\", ca: " + ca + "}}, ");
    const Ran ran = add(vcs);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 0, ran.status);
    for (const std::string& said :
         {"plugins.vcs.work.ca is " + ca, std::string("plugins.runtimes.docker.socket is /run/d.sock"),
          std::string("build-3 needs it at the same place")})
      CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, said));
    CPPUNIT_ASSERT_MESSAGE("no address is a path", !contains(ran.err, "git.lan"));
  }

  void aNameIsAMachines() {
    person_->file("server.yaml", config_);
    for (const char* name : {"-x", "build 3", "a/b", "a..b", "::1", "$(id)", "a\nb", ""}) {
      const Ran ran = test::ocelot({"workers", "add", "--config", "server.yaml", "--", name});
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, 2, ran.status);
      CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "is no name for a worker"));
    }
    refused(config_, {"--tags: `b c` is not a tag"}, {"--tags", "a,b c"});
    refused(config_, {"--slots wants"}, {"--slots", "0"});
  }

  void aCertificateOfThisMachineIsNotTheNewOnes() {
    const Ran ran = add(config_ + "tls: {certificate: /c.pem, key: /k.pem}\n");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 0, ran.status);
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "the live logs of build-3 go through ocelot-admin"));
    CPPUNIT_ASSERT(!contains(cli::unpack(carriedBy(ran.out)).settings, "c.pem"));
  }

  void secretsAndFilesComeToLieBesideTheConfiguration() {
    person_->file("password", "s3cr#t \"word\"\n");
    person_->file("root.pem", "PEM of the store");
    person_->file("environment", "# of this machine\nOCELOT_STORE__PASSWORD_FILE=\"" + person_->folder() +
                                     "/password\"\nOCELOT_PLUGINS__VCS__WORK__SSH_KEY=two\\nlines\nOTHER=x\n");
    const std::string yaml = config_ + "tls: {ca: " + person_->file("ca.pem", "PEM of ours") + "}\n";
    const std::string vcs = replaced(yaml, "plugins: {", "plugins: {vcs: {work: {plugin: git}}, ");
    const Ran added = add(vcs, {"--set", std::string(kNoStore) + " sslrootcert=" + person_->folder() + "/root.pem"});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(added.err, 0, added.status);
    CPPUNIT_ASSERT(!contains(carriedBy(added.out), "s3cr#t"));

    std::filesystem::create_directory(person_->folder() + "/new");
    person_->file("new/environment", "OCELOT_DATA_DIR=/srv/new\n");
    person_->file("new/server.yaml", "# as the package brings it\n");
    const Ran joined = join(carriedBy(added.out));
    CPPUNIT_ASSERT_EQUAL(2, joined.status);
    for (const char* part : {"connect to PostgreSQL", "the configuration is written, and nothing was started"})
      CPPUNIT_ASSERT_MESSAGE(joined.err, contains(joined.err, part));

    const std::string folder = person_->folder() + "/new";
    const config::Config config = written();
    CPPUNIT_ASSERT_EQUAL(std::string("s3cr#t \"word\""), config.secret("store.password", {}));
    CPPUNIT_ASSERT_EQUAL(folder + "/secret.key", config.text("secrets.key_file"));
    CPPUNIT_ASSERT_EQUAL(folder + "/tls-ca.pem", config.text("tls.ca"));
    CPPUNIT_ASSERT_EQUAL(std::string("PEM of ours"), test::readText(folder + "/tls-ca.pem"));
    CPPUNIT_ASSERT(contains(config.text("store.dsn"), "sslrootcert=" + folder + "/store-ca.pem"));
    CPPUNIT_ASSERT_EQUAL(std::string("PEM of the store"), test::readText(folder + "/store-ca.pem"));
    CPPUNIT_ASSERT_EQUAL(std::string("http://build-3.lan:7701"), config.text("worker.public_url"));
    CPPUNIT_ASSERT_EQUAL(std::string("0.0.0.0:7701"), config.text("worker.listen"));
    CPPUNIT_ASSERT_EQUAL(std::string("/srv/new"), config.text("data_dir"));
    for (const auto& instance : config.vcs())
      if (instance.name == "work")
        CPPUNIT_ASSERT_EQUAL(std::string("two\\nlines"), instance.options.at("ssh_key").text());
    CPPUNIT_ASSERT(!contains(test::readText(folder + "/server.yaml"), "s3cr#t"));
    for (const char* name : {"secret.key", "store.password", "plugins.vcs.work.ssh_key"}) {
      struct stat about {};
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, 0, ::stat((folder + "/" + name).c_str(), &about));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, mode_t{0600}, about.st_mode & 07777);
    }
  }

  void aConfigurationThatIsThereStays() {
    const std::string bundle = carriedBy(add(config_, {"--set", kNoStore}).out);
    std::filesystem::create_directory(person_->folder() + "/new");
    person_->file("new/server.yaml", "worker: {slots: 1}\n");
    const Ran ran = join(bundle);
    CPPUNIT_ASSERT_EQUAL(2, ran.status);
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "is there already") && contains(ran.err, "--force"));
    CPPUNIT_ASSERT_EQUAL(std::string("worker: {slots: 1}\n"), test::readText(person_->folder() + "/new/server.yaml"));
    CPPUNIT_ASSERT(!std::filesystem::exists(person_->folder() + "/new/secret.key"));
    CPPUNIT_ASSERT(contains(join(bundle, {"--force"}).err, "wrote "));
    CPPUNIT_ASSERT_EQUAL(std::string("build-3"), written().text("worker.name"));
  }

  void whatIsNoCommandOfOursIsRefused() {
    const std::string good = R"({"format":1,"version":")" OCELOT_VERSION R"(","settings":"","files":{)";
    for (const std::string& text :
         {std::string(), std::string("hello"), std::string("[]"), std::string("{}"), good, good + R"("../x":"YQ=="}})",
          good + R"("server.yaml":"YQ=="}})", good + R"("plugins.vcs.x./etc/passwd":"YQ=="}})",
          good + R"("secret.key":"?"}})", good + R"("secret.key":7}})", std::string((4 << 20) + 1, ' ')}) {
      const Ran ran = join(text);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text.substr(0, 200), 2, ran.status);
      CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "read what `ocelot workers add` printed"));
    }
    CPPUNIT_ASSERT(!std::filesystem::exists(person_->folder() + "/new"));
    const Ran wrong = join(replaced(good, "\"settings\":\"\"", R"("settings":"worker: {slots: many}")") + "}}");
    CPPUNIT_ASSERT_MESSAGE(wrong.err, contains(wrong.err, "worker.slots: must be a whole number"));
    CPPUNIT_ASSERT(!std::filesystem::exists(person_->folder() + "/new/server.yaml"));
    const Ran nobody = join(good + "}}", {"--address", "a b"});
    CPPUNIT_ASSERT_MESSAGE(nobody.err, contains(nobody.err, "--address wants"));
    CPPUNIT_ASSERT_MESSAGE("blanks", contains(test::ocelot({"workers", "join", "--dir", "/a b"}).err, "holds blanks"));
  }

  void anotherVersionIsRefusedNamingBoth() {
    for (const char* version : {"0.0.1", "99.0.0"}) {
      const Ran ran = join(R"({"format":1,"version":")" + std::string(version) + R"(","settings":"","files":{}})");
      CPPUNIT_ASSERT_EQUAL(2, ran.status);
      CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "ocelot " OCELOT_VERSION) && contains(ran.err, version));
    }
    const Ran later = join(R"({"format":2,"version":"99.0.0"})");
    CPPUNIT_ASSERT_MESSAGE(later.err,
                           contains(later.err, "a form (2)") && contains(later.err, "install ocelot 99.0.0"));
  }

  void linesOfOthersStayInTheEnvironment() {
    const std::string path =
        person_->file("variables", "# first\n; second\n\nA = 'x y'\nB_FILE=/old\nC=\"1\"\n D=d\t\n=e\n");
    CPPUNIT_ASSERT((cli::Variables{{"A", "x y"}, {"B_FILE", "/old"}, {"C", "1"}, {"D", "d"}}) ==
                   cli::readEnvironmentFile(path));
    cli::setInEnvironmentFile(path, {{"B", "new"}, {"C", "2"}});
    CPPUNIT_ASSERT_EQUAL(std::string("# first\n; second\n\nA = 'x y'\n D=d\t\n=e\nB=new\nC=2\n"), test::readText(path));
    CPPUNIT_ASSERT(cli::readEnvironmentFile(path + "-none").empty());
    CPPUNIT_ASSERT_EQUAL(std::string("/etc/default/ocelot"), cli::environmentFileOf("/etc/ocelot/server.yaml"));
    CPPUNIT_ASSERT_EQUAL(std::string("/srv/environment"), cli::environmentFileOf("/srv/server.yaml"));
  }

  // OCELOT_VAULT__TOKEN_FILE is a key of its own, vault.token_file, unlike that of other secrets.
  void aTokenComesAsAFileThatItsDaemonReads() {
    person_->file("environment", "OCELOT_VAULT__TOKEN=hvs.token-4711\nOCELOT_CONSUL__TOKEN=consul-4711\n");
    const std::string vault = replaced(
        config_, "secrets: {", "vault: {url: \"https://vault:8200\", token_file: /none}\nsecrets: {kind: vault, ");
    const Ran added = add(vault, {"--set", kNoStore});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(added.err, 0, added.status);
    join(carriedBy(added.out));
    const config::Config config = written();
    CPPUNIT_ASSERT_EQUAL(person_->folder() + "/new/vault.token", config.text("vault.token_file"));
    CPPUNIT_ASSERT_EQUAL(std::string("hvs.token-4711\n"), test::readText(config.text("vault.token_file")));
    CPPUNIT_ASSERT_EQUAL(std::string("consul-4711"), config.secret("consul.token", {}));
    CPPUNIT_ASSERT_MESSAGE("Vault has no use for the key of the store's secrets",
                           !std::filesystem::exists(person_->folder() + "/new/secret.key"));
  }

  void whatThisProcessSaysComesBeforeTheFile() {
    person_->file("environment", "OCELOT_STORE__PASSWORD_FILE=/no/such/file\nOCELOT_WORKER__NETWORK=none\n");
    ::setenv("OCELOT_STORE__PASSWORD", "of-this-process", 1);
    const Ran added = add(config_);
    ::unsetenv("OCELOT_STORE__PASSWORD");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(added.err, 0, added.status);
    const auto bundle = cli::unpack(carriedBy(added.out));
    CPPUNIT_ASSERT_EQUAL(std::string("of-this-process\n"), bundle.files.at("store.password"));
    CPPUNIT_ASSERT_MESSAGE(bundle.settings, contains(bundle.settings, "network: none"));
    refused(config_, {"/no/such/file"});
  }

  void hostsOfThisMachineAreKnown() {
    for (const char* host : {"", "localhost", "a.localhost", "localhost.localdomain", "127.0.0.1", "127.9.9.9",
                             "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "/run/postgresql", "@abstract"})
      CPPUNIT_ASSERT_MESSAGE(host, cli::isOfThisMachine(host));
    for (const char* host : {"db", "127.0.0.1.example.org", "10.0.0.1", "fd00::1", "1270.0.0.1"})
      CPPUNIT_ASSERT_MESSAGE(host, !cli::isOfThisMachine(host));
    CPPUNIT_ASSERT_EQUAL(std::string("::1"), cli::hostOf("[::1]:4150"));
    CPPUNIT_ASSERT_EQUAL(std::string("nsq"), cli::hostOf("http://nsq:4161/path"));
    CPPUNIT_ASSERT_EQUAL(std::string("[fd00::1]:7701"), cli::withPort("fd00::1", 7701));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(JoinTest);

}  // namespace
