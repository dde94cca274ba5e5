// Webhooks against a real server, store and repository.

#include <cppunit/extensions/HelperMacros.h>

#include <cctype>
#include <filesystem>

#include "components/hookhandler/inbox.hpp"
#include "components/hookhandler/push.hpp"
#include "components/hookhandler/signature.hpp"
#include "host/digest/digest.hpp"
#include "host/engines/explain.hpp"
#include "host/http/client.hpp"
#include "host/http/server.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using hookhandler::Inbox;
using std::chrono::milliseconds;

constexpr const char* kSecret = "the secret of this repository";

class HooksScene : public Scene {
 public:
  HooksScene() : providers(config, engines::resolverOf(*engines.secrets)) {
    git = GitRepo(folder.path + "/repo");
    git.write("ocelot.yml", kPipeline);
    commit = git.commit("first");
    repo = addRepo("account/repo", git.path);
    engines.secrets->put(repo.hook_secret_name, kSecret);
  }
  ~HooksScene() { stop(); }

  void start() {
    hookhandler::InboxSettings settings;
    settings.interval = milliseconds(20);
    settings.first_pause = milliseconds(20);
    settings.most_pause = milliseconds(40);
    settings.tries = 4;
    inbox = std::make_unique<Inbox>(engines, providers, metrics, settings);
  }
  // As a daemon has it: the inbox is there for as long as the server.
  void serve(std::int64_t max_body = 64 << 10) {
    start();
    http::Routes routes;
    routes.add({"POST", "/hooks/{repo}", http::Role::none,
                [this](const http::Request& request) { return inbox->receive(request); }, max_body});
    http::ServerHooks hooks;
    hooks.explain = engines::explain;
    server = std::make_unique<http::Server>(http::ServerSettings{}, std::move(routes), nullptr, hooks);
  }
  void stop() {
    server.reset();
    inbox.reset();
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;
  HttpAnswer post(const std::string& id, const std::string& body, const Headers& headers) {
    http::ClientSettings settings;
    settings.url = server->url();
    HttpRequest request;
    request.method = "POST";
    request.url = "/hooks/" + id;
    request.headers = headers;
    request.body = body;
    SimpleCall call(milliseconds(20000));
    return http::Client(settings).send(call, request);
  }
  static std::string signatureOf(const std::string& body, const std::string& secret = kSecret) {
    return "sha256=" + digest::hmacSha256Hex(secret, body);
  }
  HttpAnswer send(const std::string& body, const std::string& delivery = "") {
    Headers headers{{"X-Ocelot-Signature-256", signatureOf(body)}};
    if (!delivery.empty()) headers.emplace_back("X-Ocelot-Delivery", delivery);
    return post(repo.id, body, headers);
  }
  // Without a server: as if it had been received before.
  void stored(const std::string& body, const model::Repo& of) {
    store::InboxItem item;
    item.repo_id = of.id;
    item.headers_json = "[]";
    item.body = body;
    store().storeHook(item);
  }
  std::string push(const std::string& branch = "main") { return "{\"branch\": \"" + branch + "\"}"; }
  bool allRead() { return store().pendingHooks(1).empty(); }
  std::string settled(const std::string& what = "a hook") {
    waitUntil(what + " is settled", [&] { return allRead(); });
    return query("SELECT state || ' ' || note FROM inbox ORDER BY id DESC LIMIT 1");
  }
  std::size_t rows() { return std::stoul(query("SELECT count(*) FROM inbox")); }
  std::uint64_t counted(const std::string& name, const std::string& outcome) {
    return metrics.counter(name, "", {{"outcome", outcome}}).value();
  }

  GitRepo git;
  std::string commit;
  model::Repo repo;
  daemon::Metrics metrics;
  providers::Providers providers;
  std::unique_ptr<Inbox> inbox;
  std::unique_ptr<http::Server> server;
};

class HooksTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HooksTest);
  CPPUNIT_TEST(aSignedPushBecomesABuild);
  CPPUNIT_TEST(aPushOfACommitNamesItsFiles);
  CPPUNIT_TEST(forgedHooksLeaveNothing);
  CPPUNIT_TEST(whyAHookIsRefusedIsToldNobody);
  CPPUNIT_TEST(theSameHookTwiceIsOneBuild);
  CPPUNIT_TEST(anIdUsedAgainChangesNothing);
  CPPUNIT_TEST(whatMakesNoSenseIsParked);
  CPPUNIT_TEST(bigBodiesAreRefusedUnread);
  CPPUNIT_TEST(aStoreThatIsAwayAsksForTheHookAgain);
  CPPUNIT_TEST(aRepositoryThatIsAwayIsTriedAgain);
  CPPUNIT_TEST(aLocalRepositoryThatIsGoneIsTriedAgainAndTold);
  CPPUNIT_TEST(aRepositoryThatStaysAwayHoldsUpNoOther);
  CPPUNIT_TEST(aHookThatKillsItsReaderIsParked);
  CPPUNIT_TEST(aReaderThatIsAliveIsLeftAlone);
  CPPUNIT_TEST(hooksOfAForgottenRepositoryAreIgnored);
  CPPUNIT_TEST(signatures);
  CPPUNIT_TEST(pushes);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<HooksScene> scene_;

  // git answers nothing from it, without saying that it is not there.
  static void takeAway(const GitRepo& git) {
    std::filesystem::rename(git.path + "/.git/config", git.path + "/.git/config.good");
    git.write(".git/config", "[broken");
  }
  static void bringBack(const GitRepo& git) {
    std::filesystem::rename(git.path + "/.git/config.good", git.path + "/.git/config");
  }

 public:
  void setUp() override { scene_ = std::make_unique<HooksScene>(); }
  void tearDown() override { scene_.reset(); }

  void aSignedPushBecomesABuild() {
    scene_->serve();
    const auto answer = scene_->send(scene_->push());
    CPPUNIT_ASSERT_EQUAL(202, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"status":"stored"})"), answer.body);
    CPPUNIT_ASSERT_EQUAL(std::string("done queued #1: build 1 is queued"), scene_->settled());
    const auto build = scene_->store().findBuild("1");
    CPPUNIT_ASSERT(build && build->trigger == model::Trigger::push);
    CPPUNIT_ASSERT_EQUAL(scene_->commit, build->commit);
    CPPUNIT_ASSERT_EQUAL(std::string("hook"), build->requested_by);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, scene_->counted("ocelot_hooks_total", "stored"));
    waitUntil("it is counted", [&] { return scene_->counted("ocelot_hooks_read_total", "queued") == 1; });
  }

  void aPushOfACommitNamesItsFiles() {
    const std::string before = scene_->commit;
    scene_->git.write("a/b", "c");
    const std::string after = scene_->git.commit("second");
    scene_->serve();
    scene_->send(R"({"branch": "main", "commit": ")" + after + R"(", "before": ")" + before + "\"}");
    scene_->settled();
    const auto build = scene_->store().findBuild("1");
    CPPUNIT_ASSERT(build.has_value());
    CPPUNIT_ASSERT_MESSAGE(build->change_json, build->change_json.find("\"a/b\"") != std::string::npos);
  }

  void forgedHooksLeaveNothing() {
    scene_->serve();
    const auto other = scene_->addRepo("account/other");
    scene_->engines.secrets->put(other.hook_secret_name, "another secret");
    auto bare = model::Repo();
    bare.id = model::newUuid();
    bare.name = "account/bare";
    bare.vcs = "git";
    scene_->store().addRepo(bare);
    const std::string body = scene_->push();
    const std::string good = HooksScene::signatureOf(body);
    std::string upper = good;
    for (std::size_t i = 7; i < upper.size(); ++i) upper[i] = static_cast<char>(std::toupper(upper[i]));
    std::string flipped = body;
    flipped[2] = static_cast<char>(flipped[2] ^ 1);

    const auto refused = [&](const char* what, const std::string& id, const std::string& bytes,
                             const HooksScene::Headers& headers) {
      const auto answer = scene_->post(id, bytes, headers);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(what + answer.body, 401, answer.status);
    };
    const auto with = [&](const char* what, const std::string& signature) {
      refused(what, scene_->repo.id, body, {{"X-Ocelot-Signature-256", signature}});
    };
    refused("none", scene_->repo.id, body, {});
    with("empty", "");
    with("sha1 only", "sha1=" + good.substr(7, 40));
    with("no digits", "sha256=");
    with("63 digits", good.substr(0, good.size() - 1));
    with("65 digits", good + "0");
    with("upper case", upper);
    with("without its name", good.substr(7));
    with("spaces", " " + good.substr(0, 6) + " " + good.substr(7));
    with("of an empty secret", HooksScene::signatureOf(body, ""));
    with("of another repository's secret", HooksScene::signatureOf(body, "another secret"));
    with("of the body written anew", HooksScene::signatureOf("{\"branch\":\"main\"}"));
    refused("two, one of them good", scene_->repo.id, body,
            {{"X-Ocelot-Signature-256", good}, {"X-Ocelot-Signature-256", good.substr(0, 70) + "0"}});
    refused("a bit of the body changed", scene_->repo.id, flipped, {{"X-Ocelot-Signature-256", good}});
    refused("at another repository", other.id, body, {{"X-Ocelot-Signature-256", good}});
    refused("a repository without a secret", bare.id, body,
            {{"X-Ocelot-Signature-256", HooksScene::signatureOf(body, "")}});
    for (const std::string& id : {model::newUuid(), std::string("account%2Frepo"), std::string("'%20OR%201=1"),
                                  std::string(36, 'a'), std::string(4000, 'a')})
      refused("a repository that is not there", id, body, {{"X-Ocelot-Signature-256", good}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, scene_->rows());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{21}, scene_->counted("ocelot_hooks_total", "refused"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("and the good one", 202, scene_->send(body).status);
  }

  void whyAHookIsRefusedIsToldNobody() {
    scene_->serve();
    const auto a = scene_->post(scene_->repo.id, "x", {});
    const auto b = scene_->post(model::newUuid(), "x", {{"X-Ocelot-Signature-256", "sha256=00"}});
    CPPUNIT_ASSERT_EQUAL(a.status, b.status);
    CPPUNIT_ASSERT_EQUAL(a.body, b.body);
  }

  void theSameHookTwiceIsOneBuild() {
    scene_->serve();
    CPPUNIT_ASSERT_EQUAL(202, scene_->send(scene_->push(), "d1").status);
    const auto again = scene_->send(scene_->push(), "d1");
    CPPUNIT_ASSERT_EQUAL(200, again.status);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"status":"duplicate"})"), again.body);
    CPPUNIT_ASSERT_EQUAL(202, scene_->send(scene_->push(), "d2").status);
    const std::string note = scene_->settled();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(note, std::size_t{0}, note.find("done duplicate #1"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, scene_->store().builds({}).size());
  }

  void anIdUsedAgainChangesNothing() {
    scene_->serve();
    scene_->send(scene_->push(), "d1");
    scene_->settled();
    scene_->git.git("branch topic");
    CPPUNIT_ASSERT_EQUAL(200, scene_->send(scene_->push("topic"), "d1").status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, scene_->rows());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, scene_->store().builds({}).size());
  }

  void whatMakesNoSenseIsParked() {
    scene_->serve(1 << 20);
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += "{\"branch\":";
    for (const std::string& body :
         {std::string("x"), std::string("{}"), std::string("[]"), std::string("null"), std::string(), deep,
          std::string(R"({"branch": null})"), std::string(R"({"branch": 9223372036854775808})"),
          std::string(R"({"branch": []})"), std::string(R"({"branch": ""})"),
          std::string(R"({"branch": "main", "commit": "HEAD"})"), std::string(R"({"branch": "main", "commit": 1})"),
          R"({"branch": "main", "commit": ")" + std::string(40, 'A') + "\"}",
          R"({"branch": "main", "before": ")" + std::string(41, 'a') + "\"}",
          R"({"branch": ")" + std::string(513, 'a') + "\"}", std::string("{\"branch\": \"\xff\"}"),
          std::string(R"({"branch": "--upload-pack=x"})"), std::string(R"({"branch": "no such branch"})"),
          std::string(R"({"branch": "gone", "commit": "0000000000000000000000000000000000000000"})")}) {
      CPPUNIT_ASSERT_EQUAL(202, scene_->send(body).status);
      const std::string note = scene_->settled(body.substr(0, 100));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body.substr(0, 100) + ": " + note, std::size_t{0}, note.find("parked "));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, scene_->store().builds({}).size());
    scene_->send(scene_->push());
    CPPUNIT_ASSERT_EQUAL(std::string("done queued #1: build 1 is queued"), scene_->settled());
  }

  void bigBodiesAreRefusedUnread() {
    scene_->serve(1000);
    const std::string most(1000, ' ');
    CPPUNIT_ASSERT_EQUAL(202, scene_->send(most).status);
    CPPUNIT_ASSERT_EQUAL(413, scene_->send(most + " ").status);
    CPPUNIT_ASSERT_EQUAL(413, scene_->post(scene_->repo.id, std::string(8 << 20, 'x'), {}).status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, scene_->rows());
  }

  void aStoreThatIsAwayAsksForTheHookAgain() {
    scene_->serve();
    for (const char* table : {"repos", "inbox"}) {
      scene_->takeAway(table);
      const auto answer = scene_->send(scene_->push(), "d1");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.body, 503, answer.status);
      CPPUNIT_ASSERT(answer.retry_after_ms > 0);
      CPPUNIT_ASSERT(answer.body.find("store_away") != std::string::npos);
      scene_->bringBack(table);
    }
    CPPUNIT_ASSERT_EQUAL(202, scene_->send(scene_->push(), "d1").status);
    CPPUNIT_ASSERT_EQUAL(std::string("done queued #1: build 1 is queued"), scene_->settled());
  }

  void aRepositoryThatIsAwayIsTriedAgain() {
    takeAway(scene_->git);
    scene_->stored(scene_->push(), scene_->repo);
    scene_->start();
    waitUntil("it was tried", [&] { return scene_->counted("ocelot_hooks_read_total", "again") > 0; });
    bringBack(scene_->git);
    CPPUNIT_ASSERT_EQUAL(std::string("done queued #1: build 1 is queued"), scene_->settled());
  }

  void aLocalRepositoryThatIsGoneIsTriedAgainAndTold() {
    const std::string place = scene_->git.path;
    std::filesystem::rename(place, place + "-away");
    scene_->stored(scene_->push(), scene_->repo);
    scene_->start();
    const auto trouble = [&] { return scene_->store().findRepoById(scene_->repo.id)->trouble; };
    waitUntil("it is told", [&] { return !trouble().empty(); });
    CPPUNIT_ASSERT_EQUAL("hooks wait: repository \"" + place + "\": No such file or directory", trouble());
    CPPUNIT_ASSERT_EQUAL(std::string("new"), scene_->query("SELECT state FROM inbox"));
    std::filesystem::rename(place + "-away", place);
    CPPUNIT_ASSERT_EQUAL(std::string("done queued #1: build 1 is queued"), scene_->settled());
    waitUntil("all is well", [&] { return trouble().empty(); });
  }

  void aRepositoryThatStaysAwayHoldsUpNoOther() {
    GitRepo git(scene_->folder.path + "/away");
    takeAway(git);
    const auto away = scene_->addRepo("account/away", git.path);
    for (int i = 0; i < 25; ++i) scene_->stored(scene_->push(), away);
    scene_->stored(scene_->push(), scene_->repo);
    scene_->start();
    waitUntil("the other one's is read", [&] { return scene_->store().findBuild("1").has_value(); });
    CPPUNIT_ASSERT(!scene_->allRead());
    waitUntil("the first is given up", [&] { return scene_->counted("ocelot_hooks_read_total", "parked") > 0; });
    CPPUNIT_ASSERT_MESSAGE("after four tries", scene_->counted("ocelot_hooks_read_total", "again") >= 3);
    CPPUNIT_ASSERT_EQUAL(std::string("parked"), scene_->query("SELECT state FROM inbox ORDER BY id LIMIT 1"));
  }

  void aHookThatKillsItsReaderIsParked() {
    scene_->stored(scene_->push(), scene_->repo);
    const auto id = scene_->store().pendingHooks(1)[0].id;
    // As three readers leave it that were killed while they read.
    scene_->store().settleHook(id, "new", "being read by " + model::newUuid() + "; readers that died: 2");
    scene_->start();
    CPPUNIT_ASSERT_EQUAL(std::string("parked its reader died 3 times"), scene_->settled());
    scene_->stop();
    scene_->stored(scene_->push(), scene_->repo);
    scene_->store().settleHook(scene_->store().pendingHooks(1)[0].id, "new",
                               "being read by " + model::newUuid() + "; readers that died: 1");
    scene_->start();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("two may be chance", std::string("done queued #1: build 1 is queued"),
                                 scene_->settled());
  }

  void aReaderThatIsAliveIsLeftAlone() {
    scene_->stored(scene_->push(), scene_->repo);
    CPPUNIT_ASSERT(scene_->store().tryLead("hooks " + scene_->repo.id, "another", 60000));
    const auto other = scene_->addRepo("account/other");
    scene_->stored("x", other);
    scene_->start();
    waitUntil("the other repo's is read", [&] { return scene_->counted("ocelot_hooks_read_total", "parked") == 1; });
    CPPUNIT_ASSERT_EQUAL(scene_->repo.id, scene_->store().pendingHooks(1).at(0).repo_id);
    scene_->store().tryLead("hooks " + scene_->repo.id, "another", 0);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, scene_->settled().find("parked"));
    CPPUNIT_ASSERT(scene_->store().findBuild("1").has_value());
  }

  void hooksOfAForgottenRepositoryAreIgnored() {
    scene_->stored(scene_->push(), scene_->repo);
    scene_->store().removeRepo("account/repo");
    scene_->start();
    CPPUNIT_ASSERT_EQUAL(std::string("ignored the repository is not known any more"), scene_->settled());
  }

  void signatures() {
    const std::string body("a\0b", 3);
    const std::string good = HooksScene::signatureOf(body, "key");
    CPPUNIT_ASSERT(hookhandler::signedBy("key", body, good));
    CPPUNIT_ASSERT(!hookhandler::signedBy("kez", body, good));
    CPPUNIT_ASSERT(!hookhandler::signedBy("", body, HooksScene::signatureOf(body, "")));
    CPPUNIT_ASSERT(!hookhandler::signedBy("key", "a", good));
    CPPUNIT_ASSERT(!hookhandler::signedBy("key", body, ""));
  }

  void pushes() {
    const auto push = hookhandler::readPush(R"({"branch": "a/b", "commit": null, "extra": {"x": [1]}})");
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), push.branch);
    CPPUNIT_ASSERT(push.commit.empty() && push.before.empty());
    try {
      hookhandler::readPush(R"({"branch": 1})");
      CPPUNIT_FAIL("a number was taken for a branch");
    } catch (const Error& error) {
      CPPUNIT_ASSERT_EQUAL(std::string("read the push: `branch` is not a text"), std::string(error.what()));
      CPPUNIT_ASSERT(error.status() == Status::invalid);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(HooksTest);

}  // namespace
