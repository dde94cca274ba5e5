// A class behind the wire is the same class: every value arrives, every failure, and neither side trusts the other.

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <limits>

#include "ocelot/abi/plugin.h"
#include "ocelot/bind/export_notifier.hpp"
#include "ocelot/bind/export_vcs.hpp"
#include "ocelot/bind/import_notifier.hpp"
#include "ocelot/bind/import_vcs.hpp"
#include "tests/plugin/loading/fake_host.hpp"
#include "tests/unit/plugin/fake_runtime.hpp"

namespace {

using namespace ocelot;
using test::FakeRuntime;

class LoggingCall final : public Call {
 public:
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override { return cancelled_; }
  int cancelFd() const override { return 77; }
  void log(LogLevel level, std::string_view text) override {
    logged += std::to_string(static_cast<int>(level)) + std::string(text);
  }
  std::string logged;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool cancelled_ = false;
};

template <class Action>
void mustThrow(Status status, const std::string& words, Action action) {
  try {
    action();
    CPPUNIT_FAIL("nothing was thrown; expected: " + words);
  } catch (const Error& error) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), static_cast<int>(status), static_cast<int>(error.status()));
    CPPUNIT_ASSERT_MESSAGE(error.what(), std::string(error.what()).find(words) != std::string::npos);
  }
}

// Every string with bytes that a C string would lose.
const std::string kOdd("a\0b\xff\n", 5);

class EchoNotifier final : public Notifier {
 public:
  explicit EchoNotifier(const Settings&) {}
  void tell(Call&, const BuildNotice& notice, const std::string& target) override {
    told = notice;
    told_target = target;
  }
  static inline BuildNotice told;
  static inline std::string told_target;
};

class EchoVcs final : public Vcs {
 public:
  explicit EchoVcs(const Settings&) {}
  std::vector<Change> parseHook(Call&, const Hook& hook) override {
    Change change = changes_;
    change.message = hook.body + hook.headers.at(0).first + hook.headers.at(0).second;
    return {change, change};
  }
  Repo identify(Call&, std::string_view name) override { return {std::string(name), kOdd}; }
  std::vector<Head> heads(Call&, const Repo&) override { return std::vector<Head>(heads_, {"main", "1"}); }
  std::string resolve(Call&, const Repo& repo, std::string_view revision) override {
    return repo.name + repo.url + std::string(revision);
  }
  std::string readFile(Call&, const Commit& commit, std::string_view path, std::uint64_t) override {
    return commit.repo.name + commit.id + std::string(path);
  }
  Change changes(Call&, const Commit&, std::string_view before) override {
    Change change = changes_;
    change.before = before;
    return change;
  }
  CloneAccess clone(Call&, const Repo& repo) override { return {repo.url, "u", "p", "k", "h"}; }

  static inline Change changes_{Change::Kind::tag, {"r", "u"}, "b", "c", "", kOdd, "", {"m1", ""}, {"f1", kOdd}, false};
  static inline std::size_t heads_ = 3;
};

class WireTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WireTest);
  CPPUNIT_TEST(everyValueOfARuntimeArrives);
  CPPUNIT_TEST(imagesAreAnAbilityOfTheSameObject);
  CPPUNIT_TEST(everyValueOfAVcsArrives);
  CPPUNIT_TEST(everyValueOfANotifierArrives);
  CPPUNIT_TEST(aCallKeepsDeadlineCancellationAndLog);
  CPPUNIT_TEST(whatTheCallersSinkThrowsComesBackAsItWas);
  CPPUNIT_TEST(tooManyResultsEndTheCall);
  CPPUNIT_TEST(theHostServesAcrossTheWire);
  CPPUNIT_TEST(aHostThatLendsNothingIsToldSo);
  CPPUNIT_TEST(anOlderPluginIsReadNoFurtherThanItGoes);
  CPPUNIT_TEST(aNewerHostsStructsAreWalkedByTheirSize);
  CPPUNIT_TEST(nonsenseFromAPluginIsAnErrorAndNoCrash);
  CPPUNIT_TEST(checkingModeFindsBrokenRules);
  CPPUNIT_TEST_SUITE_END();

  test::FakeHost host_;
  LoggingCall call_;
  Settings settings_{"here", host_};

  std::unique_ptr<bind::ImportedRuntimeWithImages> runtime() {
    using Export = bind::RuntimeExport<FakeRuntime>;
    return std::make_unique<bind::ImportedRuntimeWithImages>(
        static_cast<const ocelot_runtime*>(Export::query(OCELOT_RUNTIME)),
        static_cast<const ocelot_runtime_images*>(Export::query(OCELOT_RUNTIME_IMAGES)), "plugin fake", settings_);
  }
  std::unique_ptr<bind::ImportedVcs> vcs() {
    return std::make_unique<bind::ImportedVcs>(
        static_cast<const ocelot_vcs*>(bind::VcsExport<EchoVcs>::query(OCELOT_VCS)), "plugin echo", settings_);
  }

 public:
  void everyValueOfARuntimeArrives() {
    settings_.set("socket", {"/run/fake.sock"});
    settings_.set("list", {"a", kOdd, ""});
    const auto wired = runtime();
    const RuntimeFacts facts = wired->probe(call_);
    CPPUNIT_ASSERT_EQUAL(std::string("2looking at /run/fake.sock"), call_.logged);
    CPPUNIT_ASSERT(facts.usable && facts.engine == "fake 1.0" && facts.features == (Pairs{{"rootless", "no"}}));

    std::string steps;
    const Image image = wired->pull(call_, {"debian:12", true, "me", kOdd}, [&](const PullProgress& step) {
      steps += step.text + std::to_string(step.done_bytes) + "/" + std::to_string(step.total_bytes) + " ";
    });
    CPPUNIT_ASSERT_EQUAL(std::string("fetching1/2 unpacking2/2 "), steps);
    CPPUNIT_ASSERT(FakeRuntime::last->asked_image.refresh && FakeRuntime::last->asked_image.password == kOdd);
    CPPUNIT_ASSERT(image.reference == "full/debian:12" && image.user == "app:app" && image.working_dir == "/srv");
    CPPUNIT_ASSERT(image.env == (Pairs{{"PATH", "/bin"}, {"EMPTY", ""}}) && image.architecture == "amd64");

    ContainerSpec spec;
    spec.name = "n";
    spec.owner = kOdd;
    spec.image = "i";
    spec.digest = "d";
    spec.command = {"/guest", "", "run"};
    spec.labels = {{"ocelot.build", "1"}};
    spec.resources = {{Resource::Kind::file, "/g", "/guest"}, {Resource::Kind::workspace, "", "/w"}};
    spec.limits = {1ull << 40, 1500, 99, 7};
    spec.network = "none";
    spec.hostname = "h";
    wired->start(call_, spec);
    const ContainerSpec& got = FakeRuntime::last->started;
    CPPUNIT_ASSERT(got.name == "n" && got.owner == kOdd && got.image == "i" && got.digest == "d");
    CPPUNIT_ASSERT(got.command == spec.command && got.labels == spec.labels && got.resources.size() == 2);
    CPPUNIT_ASSERT(got.resources[1].kind == Resource::Kind::workspace && got.resources[0].source == "/g");
    CPPUNIT_ASSERT(got.limits.memory_bytes == 1ull << 40 && got.limits.cpu_millis == 1500 && got.limits.pids == 99);
    CPPUNIT_ASSERT(got.limits.disk_bytes == 7 && got.network == "none" && got.hostname == "h");

    const Exit ended = wired->wait(call_, "n");
    CPPUNIT_ASSERT(ended.known && ended.code == 137 && ended.out_of_memory);
    CPPUNIT_ASSERT(!wired->wait(call_, "forgotten").known);
    mustThrow(Status::not_found, "x: no such container for signal 15", [&] { wired->kill(call_, "x", 15); });
    wired->remove(call_, "n");
    const auto listed = wired->list(call_, "me");
    CPPUNIT_ASSERT(listed.size() == 2 && listed[0].running && !listed[1].running && listed[1].name == "me-2");
    CPPUNIT_ASSERT(listed[0].labels == (Pairs{{"a", "b"}}));
  }

  void imagesAreAnAbilityOfTheSameObject() {
    const auto wired = runtime();
    Runtime& plain = *wired;
    auto* images = dynamic_cast<RuntimeImages*>(&plain);
    CPPUNIT_ASSERT(images != nullptr);
    const Image image = images->importImage(call_, "/tmp/x.tar", "ocelot.local/x", {});
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.local/x imported, and too long to be kept inside a string"),
                         image.reference);
    CPPUNIT_ASSERT_EQUAL(std::string("/tmp/x.tar"), image.digest);
    const auto stored = images->listImages(call_);
    CPPUNIT_ASSERT(stored.size() == 1 && stored[0].size_bytes == 7 && stored[0].last_used_us == 9);
    mustThrow(Status::internal, "remove_image: cannot remove x", [&] { images->removeImage(call_, "x"); });
    CPPUNIT_ASSERT(bind::VcsExport<EchoVcs>::query(OCELOT_RUNTIME_IMAGES) == nullptr);
    CPPUNIT_ASSERT(bind::RuntimeExport<FakeRuntime>::query("ocelot.runtime/10") == nullptr);
    CPPUNIT_ASSERT(bind::RuntimeExport<FakeRuntime>::query(nullptr) == nullptr);
  }

  void everyValueOfAVcsArrives() {
    const auto wired = vcs();
    const auto changes = wired->parseHook(call_, {{{"x-event", kOdd}}, kOdd});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, changes.size());
    CPPUNIT_ASSERT(changes[1].kind == Change::Kind::tag && changes[1].message == kOdd + "x-event" + kOdd);
    CPPUNIT_ASSERT(changes[0].messages == (std::vector<std::string>{"m1", ""}) && !changes[0].files_complete);
    CPPUNIT_ASSERT(changes[0].files == (std::vector<std::string>{"f1", kOdd}) && changes[0].author == kOdd);
    CPPUNIT_ASSERT(changes[0].repo.url == "u" && changes[0].branch == "b" && changes[0].commit == "c");
    CPPUNIT_ASSERT_EQUAL(kOdd, wired->identify(call_, kOdd).name);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, wired->heads(call_, {"a", "b"}).size());
    CPPUNIT_ASSERT_EQUAL("ab" + kOdd, wired->resolve(call_, {"a", "b"}, kOdd));
    CPPUNIT_ASSERT_EQUAL(std::string("acp"), wired->readFile(call_, {{"a", "b"}, "c"}, "p", 3));
    CPPUNIT_ASSERT_EQUAL(std::string("before"), wired->changes(call_, {{"a", "b"}, "c"}, "before").before);
    const CloneAccess access = wired->clone(call_, {"a", "b"});
    CPPUNIT_ASSERT(access.url == "b" && access.password == "p" && access.ssh_key == "k" && access.known_hosts == "h");
    mustThrow(Status::unsupported, "webhooks are not supported", [&] { wired->verifyHook(call_, {}); });
  }

  void everyValueOfANotifierArrives() {
    const auto* table = static_cast<const ocelot_notifier*>(bind::NotifierExport<EchoNotifier>::query(OCELOT_NOTIFIER));
    bind::ImportedNotifier wired(table, "plugin echo", settings_);
    BuildNotice notice{"id",    7,   "r",      "b",   "c",
                       kOdd,    "m", "failed", "why", "say",
                       "url",   1,   2,        3,     {{"s1", "passed", 0, 5}, {kOdd, "failed", 3, 6}},
                       "passed"};
    wired.tell(call_, notice, "#builds");
    const BuildNotice& told = EchoNotifier::told;
    CPPUNIT_ASSERT(told.id == "id" && told.number == 7 && told.author == kOdd && told.url == "url");
    CPPUNIT_ASSERT(told.finished_at_us == 3 && told.started_at_us == 2 && told.queued_at_us == 1);
    CPPUNIT_ASSERT(told.stages.size() == 2 && told.stages[1].name == kOdd && told.stages[1].exit_code == 3);
    CPPUNIT_ASSERT(told.stages[1].duration_ms == 6 && told.previous_state == "passed" && told.sentence == "say");
    CPPUNIT_ASSERT_EQUAL(std::string("#builds"), EchoNotifier::told_target);
  }

  void aCallKeepsDeadlineCancellationAndLog() {
    const auto wired = runtime();
    wired->wait(call_, "n");
    CPPUNIT_ASSERT(FakeRuntime::last->deadline == Call::Clock::time_point::max());
    CPPUNIT_ASSERT_EQUAL(77, FakeRuntime::last->cancel_fd);
    call_.deadline_ = Call::Clock::now() + std::chrono::hours(1);
    wired->wait(call_, "n");
    CPPUNIT_ASSERT(call_.deadline_ - FakeRuntime::last->deadline < std::chrono::milliseconds(1));
    CPPUNIT_ASSERT(call_.deadline_ >= FakeRuntime::last->deadline);
    call_.cancelled_ = true;
    mustThrow(Status::cancelled, "cancelled while pulling", [&] { wired->pull(call_, {}, {}); });
  }

  void whatTheCallersSinkThrowsComesBackAsItWas() {
    const auto wired = runtime();
    struct Mine {};
    int steps = 0;
    CPPUNIT_ASSERT_THROW(wired->pull(call_, {},
                                     [&](const PullProgress&) {
                                       ++steps;
                                       throw Mine{};
                                     }),
                         Mine);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the plugin went on after the sink had refused", 1, steps);
  }

  void tooManyResultsEndTheCall() {
    const auto wired = vcs();
    EchoVcs::heads_ = 10001;
    mustThrow(Status::invalid, "a: more than 10000 branches", [&] { wired->heads(call_, {"a", "b"}); });
    EchoVcs::heads_ = 10000;
    CPPUNIT_ASSERT_EQUAL(std::size_t{10000}, wired->heads(call_, {"a", "b"}).size());
    EchoVcs::heads_ = 3;
    const auto files = EchoVcs::changes_.files;
    EchoVcs::changes_.files.assign(10001, "f");
    mustThrow(Status::internal, "files of a change: 10001, and 10000 are the most", [&] {
      wired->changes(call_, {{"a", "b"}, "c"}, "");
    });
    EchoVcs::changes_.files = files;
    mustThrow(Status::internal, "more bytes than it was asked for", [&] {
      wired->readFile(call_, {{"a", "b"}, "c"}, "path", 2);
    });
  }

  void theHostServesAcrossTheWire() {
    const bind::HostWire lent(host_);
    bind::LentHost got(&lent);
    host_.answers = {{418, {{"X-Pot", kOdd}}, kOdd, 2500}};
    HttpRequest request;
    request.method = "PUT";
    request.url = "https://pot.example/";
    request.headers = {{"A", "b"}};
    request.body = kOdd;
    request.max_answer_bytes = 99;
    const HttpAnswer answer = got.http().send(call_, request);
    CPPUNIT_ASSERT(answer.status == 418 && answer.body == kOdd && answer.retry_after_ms == 2500);
    CPPUNIT_ASSERT(answer.headers.at(0).second == kOdd);
    const HttpRequest& asked = host_.requests.at(0);
    CPPUNIT_ASSERT(asked.method == "PUT" && asked.body == kOdd && asked.max_answer_bytes == 99);
    CPPUNIT_ASSERT_EQUAL(std::string("1asked https://pot.example/"), call_.logged);
    mustThrow(Status::unavailable, "nobody there", [&] { got.http().send(call_, request); });
    CPPUNIT_ASSERT_EQUAL(std::string(31, 3) + static_cast<char>(5), got.crypto().hmacSha256("key", kOdd));
    CPPUNIT_ASSERT_EQUAL(std::string(32, 5), got.crypto().sha256(kOdd));
    CPPUNIT_ASSERT_EQUAL(std::string("rrrr"), got.crypto().random(4));
    CPPUNIT_ASSERT(got.crypto().equal(kOdd, kOdd) && !got.crypto().equal("a", "b"));
  }

  void aHostThatLendsNothingIsToldSo() {
    ocelot_host poor{};
    poor.size = sizeof poor;
    poor.query = [](const ocelot_host*, const char*) -> const void* { return nullptr; };
    bind::LentHost got(&poor);
    mustThrow(Status::unsupported, "this host lends no http", [&] { got.http().send(call_, {}); });
    mustThrow(Status::unsupported, "this host lends no hmac_sha256", [&] { got.crypto().hmacSha256("", ""); });
  }

  void anOlderPluginIsReadNoFurtherThanItGoes() {
    // A plugin that knew no `labels` yet: 24 of our 40 bytes, with rubbish behind them.
    ocelot_container container{24, 1, bind::str("old"), {nullptr, 12345}};
    const Container got = bind::containerFrom(bind::seen(&container));
    CPPUNIT_ASSERT(got.name == "old" && got.running && got.labels.empty());
    // A VCS table from before webhooks would be one without them.
    ocelot_vcs table = *static_cast<const ocelot_vcs*>(bind::VcsExport<EchoVcs>::query(OCELOT_VCS));
    table.parse_hook = nullptr;
    bind::ImportedVcs old(&table, "plugin old", settings_);
    mustThrow(Status::unsupported, "webhooks are not supported", [&] { old.parseHook(call_, {}); });
  }

  void aNewerHostsStructsAreWalkedByTheirSize() {
    struct NewerStage {
      ocelot_stage_notice stage;
      char more[40];
    };
    NewerStage stages[3] = {};
    for (int i = 0; i < 3; ++i) {
      stages[i].stage.size = sizeof(NewerStage);
      stages[i].stage.exit_code = i;
    }
    ocelot_build_notice notice{};
    notice.size = sizeof notice + 100;
    notice.stages = &stages[0].stage;
    notice.stage_count = 3;
    const BuildNotice got = bind::noticeFrom(bind::seen(&notice));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, got.stages.size());
    CPPUNIT_ASSERT_EQUAL(2, got.stages[2].exit_code);
  }

  void nonsenseFromAPluginIsAnErrorAndNoCrash() {
    static const ocelot_vcs good = *static_cast<const ocelot_vcs*>(bind::VcsExport<EchoVcs>::query(OCELOT_VCS));
    ocelot_vcs table = good;
    table.resolve = [](ocelot_vcs_handle*, ocelot_call*, const ocelot_repo*, ocelot_str, const ocelot_texts*) {
      return ocelot_status{OCELOT_OK};
    };
    table.identify = [](ocelot_vcs_handle*, ocelot_call*, ocelot_str, const ocelot_repos* out) {
      const ocelot_repo repo{sizeof(ocelot_repo), {nullptr, 7}, {nullptr, 0}};
      return out->put(out, &repo);
    };
    table.heads = [](ocelot_vcs_handle*, ocelot_call*, const ocelot_repo*, const ocelot_heads* out) {
      return out->put(out, nullptr);
    };
    table.changes = [](ocelot_vcs_handle*, ocelot_call*, const ocelot_commit*, ocelot_str, const ocelot_changes* out) {
      const ocelot_repo repo{sizeof(ocelot_repo), {nullptr, 0}, {nullptr, 0}};
      ocelot_change change{};
      change.size = sizeof change;
      change.kind = 99;
      change.repo = &repo;
      return out->put(out, &change);
    };
    table.clone = [](ocelot_vcs_handle*, ocelot_call*, const ocelot_repo*, const ocelot_clone_accesses* out) {
      const ocelot_clone_access access{sizeof(ocelot_clone_access), {}, {}, {}, {}, {}};
      out->put(out, &access);
      out->put(out, &access);
      return ocelot_status{OCELOT_OK};
    };
    table.read_file = [](ocelot_vcs_handle*, ocelot_call*, const ocelot_commit*, ocelot_str, std::uint64_t,
                         const ocelot_texts*) { return ocelot_status{4711}; };
    bind::ImportedVcs odd(&table, "plugin odd", settings_);
    const Repo repo{"a", "b"};
    mustThrow(Status::internal, "plugin odd: resolve answered OK without a result",
              [&] { odd.resolve(call_, repo, "x"); });
    mustThrow(Status::internal, "has a size and no data", [&] { odd.identify(call_, "x"); });
    mustThrow(Status::internal, "a null pointer", [&] { odd.heads(call_, repo); });
    mustThrow(Status::internal, "a change of kind 99", [&] { odd.changes(call_, {repo, "1"}, ""); });
    mustThrow(Status::internal, "two results where one is due", [&] { odd.clone(call_, repo); });
    mustThrow(Status::internal, "plugin odd: read_file failed with status 4711", [&] {
      odd.readFile(call_, {repo, "1"}, "x", 1);
    });
    table.create = [](ocelot_call*, const ocelot_host*, const ocelot_settings*, ocelot_vcs_handle**) {
      return ocelot_status{OCELOT_OK};
    };
    mustThrow(Status::internal, "create answered OK without a handle",
              [&] { bind::ImportedVcs none(&table, "plugin odd", settings_); });
    ocelot_stage_notice stage{2, 0, {}, {}, 0};
    CPPUNIT_ASSERT_THROW(bind::each(&stage, 1, [](const ocelot_stage_notice&) {}), Error);
  }

  void checkingModeFindsBrokenRules() {
    std::vector<std::string> broken;
    static const ocelot_heads* kept = nullptr;
    static const ocelot_call* kept_call = nullptr;
    ocelot_vcs table = *static_cast<const ocelot_vcs*>(bind::VcsExport<EchoVcs>::query(OCELOT_VCS));
    table.heads = [](ocelot_vcs_handle*, ocelot_call* call, const ocelot_repo*, const ocelot_heads* out) {
      kept = out;
      kept_call = call;
      return ocelot_status{OCELOT_UNAVAILABLE};
    };
    bind::ImportedVcs* self = nullptr;
    bind::ImportedVcs watched(&table, "plugin sly", settings_, [&](const std::string& s) { broken.push_back(s); });
    self = &watched;
    mustThrow(Status::unavailable, "told no reason", [&] { self->heads(call_, {"a", "b"}); });
    const ocelot_head head{sizeof(ocelot_head), {}, {}};
    CPPUNIT_ASSERT(kept->put(kept, &head) != OCELOT_OK);
    CPPUNIT_ASSERT_EQUAL(1, int{kept_call->cancelled(kept_call)});
    kept_call->log(kept_call, 0, {});
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, broken.size());
    CPPUNIT_ASSERT_EQUAL(std::string("plugin sly: heads failed and told no reason"), broken[0]);
    CPPUNIT_ASSERT_EQUAL(std::string("a result was put to a sink after its call had returned"), broken[1]);
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot_call.cancelled was used after its call had returned"), broken[2]);

    // Two calls at a time on one handle: made from inside a sink, where nothing has to be timed.
    broken.clear();
    using Export = bind::RuntimeExport<FakeRuntime>;
    bind::ImportedRuntime runtime(static_cast<const ocelot_runtime*>(Export::query(OCELOT_RUNTIME)), "plugin fake",
                                  settings_, [&](const std::string& s) { broken.push_back(s); });
    runtime.pull(call_, {}, [&](const PullProgress&) {
      runtime.list(call_, "x");  // [any]: fine
      if (broken.empty()) runtime.probe(call_);
    });
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, broken.size());
    CPPUNIT_ASSERT_EQUAL(std::string("plugin fake: probe was called while pull was in progress on the same handle"),
                         broken[0]);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WireTest);

}  // namespace
