// Who runs builds, what, and who was asked to take none, over HTTP.

#include <Poco/JSON/Array.h>
#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

using Json = Poco::JSON::Object::Ptr;

class WorkersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WorkersTest);
  CPPUNIT_TEST(workersShowWhatTheyRun);
  CPPUNIT_TEST(moreBuildsThanAPageOfThemAreCounted);
  CPPUNIT_TEST(aWorkerOfAnotherVersionIsSaidToBe);
  CPPUNIT_TEST(aDrainIsShownWithWhoAskedForIt);
  CPPUNIT_TEST(aDrainIsUndoneOnce);
  CPPUNIT_TEST(aDrainedWorkerThatWentIsStillShown);
  CPPUNIT_TEST(aNameThatSeveralHaveIsNotGuessedAt);
  CPPUNIT_TEST(aViewerDrainsNobody);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<ApiScene> scene_;

  void announce(const std::string& id, const std::string& name, const std::string& version = OCELOT_VERSION) {
    scene_->engines.discovery->announce({id, name, "http://a:1", {"gpu", "big"}, 4, version, "", 7, 0});
  }
  Json only() {
    const auto workers = objectOf(scene_->send("GET", "/v1/workers"))->getArray("workers");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, workers->size());
    return workers->getObject(0);
  }

 public:
  void setUp() override { scene_ = std::make_unique<ApiScene>(); }
  void tearDown() override { scene_.reset(); }

  void workersShowWhatTheyRun() {
    scene_->running();
    scene_->engines.discovery->announce({"worker-1", "alpha", "http://a:1", {"gpu", "big"}, 4, "1.2", "full", 7, 0});
    scene_->engines.discovery->announce({"worker-2", "beta", "http://b:1", {}, 2, "1.2", "", 7, 0});
    const auto answer = objectOf(scene_->send("GET", "/v1/workers"));
    CPPUNIT_ASSERT_EQUAL(6, answer->getValue<int>("slots"));
    CPPUNIT_ASSERT_EQUAL(1, answer->getValue<int>("busy"));
    CPPUNIT_ASSERT_EQUAL(std::string(OCELOT_VERSION), answer->getValue<std::string>("version"));
    const auto workers = answer->getArray("workers");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, workers->size());
    const auto worker = workers->getObject(0);
    CPPUNIT_ASSERT_EQUAL(std::string("alpha"), worker->getValue<std::string>("name"));
    CPPUNIT_ASSERT_EQUAL(std::string("full"), worker->getValue<std::string>("note"));
    CPPUNIT_ASSERT_EQUAL(std::string("big"), worker->getArray("tags")->getElement<std::string>(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, worker->getArray("builds")->size());
    const auto build = worker->getArray("builds")->getObject(0);
    CPPUNIT_ASSERT_EQUAL(1, build->getValue<int>("number"));
    CPPUNIT_ASSERT_EQUAL(std::string("account/repo"), build->getValue<std::string>("repo"));
    CPPUNIT_ASSERT_EQUAL(std::string("main"), build->getValue<std::string>("branch"));
    CPPUNIT_ASSERT(build->getValue<std::int64_t>("started_at") > 0);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, workers->getObject(1)->getArray("builds")->size());
  }

  void moreBuildsThanAPageOfThemAreCounted() {
    for (int i = 0; i < 501; ++i) scene_->store().accept(Scene::someBuild(), "");
    while (scene_->store().claim("worker-1", {}, 30000)) continue;
    announce("worker-1", "alpha");
    CPPUNIT_ASSERT_EQUAL(std::size_t{501}, only()->getArray("builds")->size());
  }

  void aWorkerOfAnotherVersionIsSaidToBe() {
    const std::pair<const char*, const char*> cases[] = {{OCELOT_VERSION, "same"}, {"0.0.0", "older"},
                                                         {"99999.0.0", "newer"},   {"1.2", "other"},
                                                         {"0.0.0-x", "other"},     {"99999999999.0.0", "other"}};
    for (const auto& [version, is] : cases) {
      announce("worker-1", "alpha", version);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(version, std::string(is), only()->getValue<std::string>("version_is"));
    }
  }

  void aDrainIsShownWithWhoAskedForIt() {
    announce("worker-1", "alpha");
    CPPUNIT_ASSERT_EQUAL(std::string(), only()->getValue<std::string>("drained_by"));
    const auto asked = scene_->sendAs(scene_->operate, "POST", "/v1/workers/alpha/drain");
    assertStatus(200, asked);
    CPPUNIT_ASSERT_EQUAL(std::string("worker-1"), textOf(asked, "id"));
    CPPUNIT_ASSERT_EQUAL(std::string("the operator"), textOf(asked, "drained_by"));
    const auto again = scene_->send("POST", "/v1/workers/worker-1/drain");
    CPPUNIT_ASSERT_EQUAL(std::string("the operator"), textOf(again, "drained_by"));
    CPPUNIT_ASSERT_EQUAL(std::string("the operator"), only()->getValue<std::string>("drained_by"));
    CPPUNIT_ASSERT(only()->getValue<std::int64_t>("drained_at") > 0);
    const auto audit = scene_->store().audit(0, 10);
    CPPUNIT_ASSERT_EQUAL(std::string("worker.drain"), audit.back().action);
    CPPUNIT_ASSERT_EQUAL(std::string("alpha"), audit.back().object);
  }

  void aDrainIsUndoneOnce() {
    announce("worker-1", "alpha");
    assertRefused(404, "not_drained", scene_->send("DELETE", "/v1/workers/alpha/drain"));
    assertStatus(200, scene_->send("POST", "/v1/workers/alpha/drain"));
    assertStatus(204, scene_->send("DELETE", "/v1/workers/alpha/drain"));
    assertRefused(404, "not_drained", scene_->send("DELETE", "/v1/workers/alpha/drain"));
    CPPUNIT_ASSERT_EQUAL(std::string(), only()->getValue<std::string>("drained_by"));
  }

  void aDrainedWorkerThatWentIsStillShown() {
    announce("worker-1", "alpha");
    CPPUNIT_ASSERT(only()->getValue<bool>("online"));
    assertStatus(200, scene_->send("POST", "/v1/workers/alpha/drain"));
    scene_->engines.discovery->withdraw("worker-1");
    CPPUNIT_ASSERT(!only()->getValue<bool>("online"));
    CPPUNIT_ASSERT_EQUAL(std::string("alpha"), only()->getValue<std::string>("name"));
    assertStatus(204, scene_->send("DELETE", "/v1/workers/alpha/drain"));
    const auto refused = scene_->send("POST", "/v1/workers/alpha/drain");
    assertRefused(404, "no_such_worker", refused);
    CPPUNIT_ASSERT_EQUAL(std::string("no worker is online"), textOf(refused, "hint"));
  }

  void aNameThatSeveralHaveIsNotGuessedAt() {
    announce("worker-1", "alpha");
    announce("worker-2", "alpha");
    const auto refused = scene_->send("POST", "/v1/workers/alpha/drain");
    assertRefused(409, "several_workers", refused);
    CPPUNIT_ASSERT_EQUAL(std::string("give the id of the one that is meant: worker-1, worker-2"),
                         textOf(refused, "hint"));
    CPPUNIT_ASSERT(scene_->store().drains().empty());
    assertStatus(200, scene_->send("POST", "/v1/workers/worker-2/drain"));
    CPPUNIT_ASSERT_EQUAL(std::string("worker-2"), scene_->store().drains().front().worker_id);
  }

  void aViewerDrainsNobody() {
    announce("worker-1", "alpha");
    assertRefused(403, "forbidden", scene_->sendAs(scene_->viewer, "POST", "/v1/workers/alpha/drain"));
    assertRefused(403, "forbidden", scene_->sendAs(scene_->viewer, "DELETE", "/v1/workers/alpha/drain"));
    CPPUNIT_ASSERT(scene_->store().drains().empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkersTest);

}  // namespace
