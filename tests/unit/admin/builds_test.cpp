// /v1/builds over HTTP, on a real store and a real repository.

#include <Poco/JSON/Array.h>
#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

class BuildsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BuildsTest);
  CPPUNIT_TEST(aBuildOfTheUsualBranch);
  CPPUNIT_TEST(aBuildOfABranchAndOfAnAbbreviatedCommit);
  CPPUNIT_TEST(whatCannotBeBuiltIsExplained);
  CPPUNIT_TEST(aBadFileIsARejectedBuild);
  CPPUNIT_TEST(skippedUnlessForced);
  CPPUNIT_TEST(aListIsPagedNewestFirst);
  CPPUNIT_TEST(aListIsFiltered);
  CPPUNIT_TEST(badFiltersAreRefused);
  CPPUNIT_TEST(aBuildIsFoundByNumberIdAndItsBeginning);
  CPPUNIT_TEST(aStageShowsItsCommand);
  CPPUNIT_TEST(aQueuedBuildIsCanceledAtOnce);
  CPPUNIT_TEST(aRunningBuildIsAskedToEnd);
  CPPUNIT_TEST(aRerunNeedsNoRepositoryToAnswer);
  CPPUNIT_TEST(aWaitingBuildSaysWhy);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<ApiScene> scene_;

  HttpAnswer build(const std::string& rest = "") {
    return scene_->send("POST", "/v1/builds", R"({"repo": "account/repo")" + rest + "}");
  }
  std::string numbers(const std::string& query) {
    const auto answer = scene_->send("GET", "/v1/builds?" + query);
    assertStatus(200, answer);
    const auto builds = objectOf(answer)->getArray("builds");
    std::string out;
    for (std::size_t i = 0; i < builds->size(); ++i)
      out += (i ? " " : "") + builds->getObject(static_cast<unsigned>(i))->get("number").toString();
    return out;
  }

 public:
  void setUp() override { scene_ = std::make_unique<ApiScene>(); }
  void tearDown() override { scene_.reset(); }

  void aBuildOfTheUsualBranch() {
    scene_->addGitRepo();
    const auto answer = build();
    assertStatus(201, answer);
    CPPUNIT_ASSERT_EQUAL(scene_->commit, textOf(answer, "commit"));
    CPPUNIT_ASSERT_EQUAL(std::string("main"), textOf(answer, "branch"));
    CPPUNIT_ASSERT_EQUAL(std::string("queued"), textOf(answer, "state"));
    CPPUNIT_ASSERT_EQUAL(std::string("manual"), textOf(answer, "trigger"));
    CPPUNIT_ASSERT_EQUAL(std::string("the admin"), textOf(answer, "requested_by"));
    CPPUNIT_ASSERT_EQUAL(std::string("first"), textOf(answer, "message"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, scene_->store().outbox(10).size());
    CPPUNIT_ASSERT_MESSAGE("by hand there are no duplicates", textOf(build(), "id") != textOf(answer, "id"));
  }

  void aBuildOfABranchAndOfAnAbbreviatedCommit() {
    scene_->addGitRepo();
    scene_->git.git("checkout -q -b topic");
    scene_->git.write("a", "b");
    const std::string topic = scene_->git.commit("on the topic");
    auto answer = build(R"(, "branch": "topic")");
    assertStatus(201, answer);
    CPPUNIT_ASSERT_EQUAL(topic, textOf(answer, "commit"));
    answer = build(R"(, "branch": "main", "commit": ")" + scene_->commit.substr(0, 10) + "\"");
    assertStatus(201, answer);
    CPPUNIT_ASSERT_EQUAL(scene_->commit, textOf(answer, "commit"));
  }

  void whatCannotBeBuiltIsExplained() {
    assertRefused(404, "no_such_repo", build());
    scene_->addGitRepo();
    assertRefused(404, "no_such_branch", build(R"(, "branch": "nowhere")"));
    CPPUNIT_ASSERT_EQUAL(404, build(R"(, "commit": "0123456789012345678901234567890123456789")").status);
    for (const char* commit : {"--upload-pack=x", "HEAD~1;x", "..", "-"})
      CPPUNIT_ASSERT(build(std::string(R"(, "commit": ")") + commit + "\"").status / 100 == 4);
    scene_->git.git("branch -q -m trunk");
    scene_->git.git("branch -q other");
    const auto answer = build();
    assertRefused(422, "which_branch", answer);
    CPPUNIT_ASSERT_EQUAL(std::string("name the branch"), textOf(answer, "hint"));
    scene_->git.git("branch -q -D other");
    CPPUNIT_ASSERT_EQUAL(std::string("trunk"), textOf(build(), "branch"));
  }

  void aBadFileIsARejectedBuild() {
    scene_->addGitRepo();
    scene_->git.write("ocelot.yml", "image: x\nstagse: []\n");
    scene_->git.commit();
    const auto answer = build();
    assertStatus(201, answer);
    CPPUNIT_ASSERT_EQUAL(std::string("rejected"), textOf(answer, "state"));
    CPPUNIT_ASSERT(textOf(answer, "sentence").find("ocelot.yml:2:1: unknown key `stagse`") != std::string::npos);
  }

  void skippedUnlessForced() {
    scene_->addGitRepo();
    scene_->git.write("ocelot.yml", std::string("branches: [release]\n") + Scene::kPipeline);
    scene_->git.commit();
    const auto answer = build();
    assertRefused(409, "skipped", answer);
    CPPUNIT_ASSERT(textOf(answer, "message").find("main") != std::string::npos);
    assertStatus(201, build(R"(, "force": true)"));
  }

  void aListIsPagedNewestFirst() {
    for (int i = 0; i < 7; ++i) scene_->queued();
    CPPUNIT_ASSERT_EQUAL(std::string("7 6 5"), numbers("limit=3"));
    const auto page = scene_->send("GET", "/v1/builds?limit=3");
    CPPUNIT_ASSERT_EQUAL(std::string("5"), textOf(page, "next"));
    CPPUNIT_ASSERT_EQUAL(std::string("4 3 2"), numbers("limit=3&before=5"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), numbers("limit=3&before=2"));
    CPPUNIT_ASSERT(!objectOf(scene_->send("GET", "/v1/builds?limit=3&before=2"))->has("next"));
    CPPUNIT_ASSERT_EQUAL(std::string(""), numbers("before=1"));
    CPPUNIT_ASSERT_EQUAL(std::string("7 6 5 4 3 2 1"), numbers(""));
  }

  void aListIsFiltered() {
    scene_->ended(Scene::someBuild("a/a", "main"), BuildState::passed);
    scene_->ended(Scene::someBuild("a/b", "main"), BuildState::failed);
    auto other = Scene::someBuild("a/a", "topic/x y");
    other.commit = std::string(40, 'b');
    scene_->queued(other);
    CPPUNIT_ASSERT_EQUAL(std::string("3 1"), numbers("repo=a%2Fa"));
    CPPUNIT_ASSERT_EQUAL(std::string("3"), numbers("branch=topic/x%20y"));
    CPPUNIT_ASSERT_EQUAL(std::string("3"), numbers("commit=bbbb"));
    CPPUNIT_ASSERT_EQUAL(std::string("2 1"), numbers("state=passed,failed"));
    CPPUNIT_ASSERT_EQUAL(std::string("3"), numbers("state=queued&repo=a/a"));
    CPPUNIT_ASSERT_EQUAL(std::string(""), numbers("repo=%25&branch=_"));
    CPPUNIT_ASSERT_EQUAL(std::string(""), numbers("repo='%20OR%201=1%20--"));
  }

  void badFiltersAreRefused() {
    for (const char* query : {"limit=0", "limit=501", "limit=-1", "limit=x", "limit=4294967297", "limit=1e2",
                              "limit=9223372036854775808", "before=x", "before=99999999999999999999"}) {
      const auto answer = scene_->send("GET", std::string("/v1/builds?") + query);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(query, 400, answer.status);
    }
    assertRefused(400, "bad_state", scene_->send("GET", "/v1/builds?state=green"));
    const auto mistyped = scene_->send("GET", "/v1/builds?repo=a&brnach=x");
    assertRefused(400, "unknown_parameter", mistyped);
    CPPUNIT_ASSERT_MESSAGE(mistyped.body, mistyped.body.find("there are: repo, branch, commit") != std::string::npos);
    assertRefused(400, "unknown_parameter", scene_->send("GET", "/v1/audit?since=1"));
    const std::string log = "/v1/builds/" + scene_->queued().id + "/log?folow=1";
    assertRefused(400, "unknown_parameter", scene_->send("GET", log));
  }

  void aBuildIsFoundByNumberIdAndItsBeginning() {
    const auto build = scene_->queued();
    for (const std::string& name : {std::string("1"), build.id, build.id.substr(0, 8)})
      CPPUNIT_ASSERT_EQUAL(build.id, textOf(scene_->send("GET", "/v1/builds/" + name), "id"));
    for (const std::string& name :
         {std::string("2"), std::string("0"), std::string("-1"), std::string("%00"), std::string("x"),
          std::string("99999999999999999999"), std::string(5000, 'a'), model::newUuid()}) {
      const auto answer = scene_->send("GET", "/v1/builds/" + name);
      CPPUNIT_ASSERT_MESSAGE(name + answer.body, answer.status == 404 || answer.status == 400);
      CPPUNIT_ASSERT(answer.body.size() < 1000);
    }
  }

  void aStageShowsItsCommand() {
    const auto claim = scene_->running();
    model::Stage stage;
    stage.name = "test";
    stage.state = model::StageState::running;
    scene_->store().updateStages(claim, {stage});
    const auto stages = objectOf(scene_->send("GET", "/v1/builds/1"))->getArray("stages");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, stages->size());
    CPPUNIT_ASSERT_EQUAL(std::string("make test\n"), stages->getObject(0)->get("command").toString());
    CPPUNIT_ASSERT(!objectOf(scene_->send("GET", "/v1/builds"))->getArray("builds")->getObject(0)->has("stages"));
  }

  void aQueuedBuildIsCanceledAtOnce() {
    scene_->queued();
    const auto answer = scene_->sendAs(scene_->operate, "POST", "/v1/builds/1/cancel");
    assertStatus(202, answer);
    CPPUNIT_ASSERT_EQUAL(std::string("canceled"), textOf(answer, "state"));
    CPPUNIT_ASSERT(textOf(answer, "sentence").find("the operator") != std::string::npos);
    assertStatus(202, scene_->send("POST", "/v1/builds/1/cancel"));
    CPPUNIT_ASSERT_EQUAL(std::string("canceled"), textOf(scene_->send("GET", "/v1/builds/1"), "state"));
    assertRefused(404, "no_such_build", scene_->send("POST", "/v1/builds/2/cancel"));
  }

  void aRunningBuildIsAskedToEnd() {
    const auto claim = scene_->running();
    const auto answer = scene_->send("POST", "/v1/builds/1/cancel");
    assertStatus(202, answer);
    CPPUNIT_ASSERT_EQUAL(std::string("running"), textOf(answer, "state"));
    CPPUNIT_ASSERT_EQUAL(std::string("true"), textOf(answer, "cancel_requested"));
    CPPUNIT_ASSERT(scene_->store().renew({claim}, 1000).front().cancel_requested);
    scene_->end(claim, BuildState::passed);
    CPPUNIT_ASSERT_EQUAL(std::string("passed"), textOf(scene_->send("POST", "/v1/builds/1/cancel"), "state"));
  }

  void aRerunNeedsNoRepositoryToAnswer() {
    scene_->addGitRepo();
    const auto first = build();
    assertStatus(201, first);
    std::filesystem::remove_all(scene_->git.path);
    const auto again = scene_->send("POST", "/v1/builds/1/rerun");
    assertStatus(201, again);
    CPPUNIT_ASSERT_EQUAL(std::string("rerun"), textOf(again, "trigger"));
    CPPUNIT_ASSERT_EQUAL(textOf(first, "id"), textOf(again, "rerun_of"));
    CPPUNIT_ASSERT_EQUAL(textOf(first, "commit"), textOf(again, "commit"));
    CPPUNIT_ASSERT_EQUAL(std::string("queued"), textOf(again, "state"));
    assertStatus(204, scene_->send("DELETE", "/v1/repos/account%2Frepo"));
    assertRefused(404, "no_such_repo", scene_->send("POST", "/v1/builds/1/rerun"));
    assertStatus(200, scene_->send("GET", "/v1/builds/1"));
  }

  void aWaitingBuildSaysWhy() {
    auto tagged = Scene::someBuild();
    tagged.machine_tag = "gpu";
    scene_->queued(tagged);
    const auto why = [&](const char* number) {
      return textOf(scene_->send("GET", std::string("/v1/builds/") + number), "waiting");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("no worker is online; start one with `ocelot-worker` or `ocelot up`"), why("1"));
    scene_->engines.discovery->announce({"w1", "alpha", "", {}, 2, "0", "", 1, 0});
    CPPUNIT_ASSERT_EQUAL(std::string("no worker has tag gpu (1 online: alpha)"), why("1"));
    scene_->engines.discovery->announce({"w2", "beta", "", {"gpu"}, 1, "0", "the disk is full", 1, 0});
    CPPUNIT_ASSERT_EQUAL(std::string("beta takes no builds: the disk is full"), why("1"));
    scene_->engines.discovery->announce({"w2", "beta", "", {"gpu"}, 1, "0", "", 1, 0});
    CPPUNIT_ASSERT_EQUAL(std::string("next in line (1 slot on 1 worker)"), why("1"));
    scene_->queued();
    CPPUNIT_ASSERT_EQUAL(std::string("next in line (3 slots on 2 workers)"), why("2"));
    scene_->queued();
    CPPUNIT_ASSERT_EQUAL(std::string("2nd in line (3 slots on 2 workers)"), why("3"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BuildsTest);

}  // namespace
