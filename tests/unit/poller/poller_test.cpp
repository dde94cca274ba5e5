// Looks at a real repository, on a real store.

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "components/poller/poll.hpp"
#include "components/poller/watch.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using poller::Heads;
using std::chrono::milliseconds;

// A repository of any branches; the files of one commit cannot be read.
class BranchesVcs final : public Vcs {
 public:
  ocelot::Repo identify(Call&, std::string_view) override { return {}; }
  std::vector<Head> heads(Call&, const ocelot::Repo&) override {
    std::vector<Head> out;
    for (const auto& [branch, commit] : branches) out.push_back({branch, commit});
    return out;
  }
  std::string resolve(Call&, const ocelot::Repo&, std::string_view revision) override { return std::string(revision); }
  Change changes(Call&, const Commit&, std::string_view) override { return {}; }
  CloneAccess clone(Call&, const ocelot::Repo&) override { return {}; }
  std::string readFile(Call&, const Commit& commit, std::string_view path, std::uint64_t) override {
    if (commit.id == unreadable)
      throw Error(Status::unavailable, "show " + std::string(path) + ": the disk is damaged");
    if (path != "ocelot.yml") throw Error(Status::not_found, "there is no such file");
    return Scene::kPipeline;
  }
  Heads branches;
  std::string unreadable;
};

class PollerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PollerTest);
  CPPUNIT_TEST(theFirstLookOnlyRemembers);
  CPPUNIT_TEST(everyBranchThatMovedIsBuiltOnce);
  CPPUNIT_TEST(onlyWantedBranchesAreLookedAt);
  CPPUNIT_TEST(aBranchThatIsGoneIsForgotten);
  CPPUNIT_TEST(oneBadBranchStopsNoOther);
  CPPUNIT_TEST(aBranchThatGitRefusesIsToldAndNotHammered);
  CPPUNIT_TEST(pausesGrow);
  CPPUNIT_TEST(aStoreThatIsAwayLeavesEverythingAsItWas);
  CPPUNIT_TEST(aRepositoryThatDoesNotAnswerKeepsItsHeads);
  CPPUNIT_TEST(headsAreKeptAsJson);
  CPPUNIT_TEST(branchListsAreRead);
  CPPUNIT_TEST(theWatchLooksWhenItsTimeHasCome);
  CPPUNIT_TEST(twoWatchesLookOnce);
  CPPUNIT_TEST(repositoriesThatDoNotAnswerHoldUpNoOther);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<Scene> scene_;
  std::unique_ptr<providers::Providers> providers_;
  std::unique_ptr<GitRepo> git_;
  daemon::Metrics metrics_;
  std::string id_;

  int poll() {
    SimpleCall call(milliseconds(60000));
    return poller::pollOnce(
        call, scene_->engines, [&](const auto& use) { providers_->with("git", use); }, repo(), unbuilt_);
  }
  model::Repo repo() { return *scene_->store().findRepoById(id_); }
  Heads heads() { return poller::headsFromJson(repo().heads_json); }
  std::string branches() {
    std::vector<std::string> names;
    for (const auto& build : scene_->store().builds({})) names.push_back(build.branch);
    std::sort(names.begin(), names.end());
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : " ") + name;
    return out;
  }
  std::string moved(const std::string& branch) {
    git_->git("checkout -q -B " + branch);
    git_->write("moved", branch + std::to_string(++moves_));
    return git_->commit();
  }
  std::unique_ptr<poller::Watch> watch(daemon::Metrics& metrics) {
    poller::WatchSettings settings;
    settings.turn = milliseconds(10);
    settings.min_interval = milliseconds(20);
    return std::make_unique<poller::Watch>(scene_->engines, *providers_, settings, metrics);
  }
  int moves_ = 0;
  poller::UnbuiltBranches unbuilt_;

 public:
  void setUp() override {
    scene_ = std::make_unique<Scene>();
    providers_ = std::make_unique<providers::Providers>(scene_->config, engines::resolverOf(*scene_->engines.secrets));
    git_ = std::make_unique<GitRepo>(scene_->folder.path + "/repo");
    git_->write("ocelot.yml", Scene::kPipeline);
    git_->commit("first");
    id_ = scene_->addRepo("account/repo", git_->path).id;
  }
  void tearDown() override {
    providers_.reset();
    scene_.reset();
  }

  void theFirstLookOnlyRemembers() {
    git_->git("branch topic");
    CPPUNIT_ASSERT_EQUAL(0, poll());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, heads().size());
    CPPUNIT_ASSERT_EQUAL(git_->git("rev-parse HEAD"), heads()["topic"]);
    CPPUNIT_ASSERT_EQUAL(std::string(), branches());
    CPPUNIT_ASSERT(repo().polled_at > 0);
  }

  void everyBranchThatMovedIsBuiltOnce() {
    poll();
    CPPUNIT_ASSERT_EQUAL(0, poll());
    const std::string before = heads()["main"];
    const std::string after = moved("main");
    moved("new");
    CPPUNIT_ASSERT_EQUAL(2, poll());
    CPPUNIT_ASSERT_EQUAL(std::string("main new"), branches());
    store::BuildFilter filter;
    filter.branch = "main";
    const auto build = scene_->store().findBuild(scene_->store().builds(filter).at(0).id);
    CPPUNIT_ASSERT_EQUAL(after, build->commit);
    CPPUNIT_ASSERT(build->trigger == model::Trigger::poll);
    CPPUNIT_ASSERT_MESSAGE(build->change_json, build->change_json.find(before) != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(build->change_json, build->change_json.find("\"moved\"") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(0, poll());
  }

  void onlyWantedBranchesAreLookedAt() {
    scene_->store().setRepoPolling(id_, 60, "main, release");
    poll();
    moved("other");
    moved("release");
    CPPUNIT_ASSERT_EQUAL(1, poll());
    CPPUNIT_ASSERT_EQUAL(std::string("release"), branches());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, heads().count("other"));
  }

  void aBranchThatIsGoneIsForgotten() {
    git_->git("branch topic");
    poll();
    git_->git("branch -D -q topic");
    CPPUNIT_ASSERT_EQUAL(0, poll());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, heads().count("topic"));
  }

  void oneBadBranchStopsNoOther() {
    BranchesVcs vcs;
    const auto poll_them = [&] {
      SimpleCall call(milliseconds(60000));
      return poller::pollOnce(
          call, scene_->engines, [&](const auto& use) { use(vcs); }, repo(), unbuilt_);
    };
    vcs.branches = {{"a", std::string(40, '1')}, {"bad", std::string(40, '2')}, {"z", std::string(40, '3')}};
    poll_them();
    vcs.branches = {{"a", std::string(40, 'a')}, {"bad", std::string(40, 'b')}, {"z", std::string(40, 'c')}};
    vcs.unreadable = std::string(40, 'b');
    CPPUNIT_ASSERT_EQUAL(2, poll_them());
    CPPUNIT_ASSERT_EQUAL(std::string("a z"), branches());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("its old head stays", std::string(40, '2'), heads()["bad"]);
    vcs.unreadable.clear();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("tried again next time", 1, poll_them());
    CPPUNIT_ASSERT_EQUAL(std::string("a bad z"), branches());
  }

  void aBranchThatGitRefusesIsToldAndNotHammered() {
    poll();
    git_->malformed("bad");
    moved("good");
    CPPUNIT_ASSERT_EQUAL(1, poll());
    CPPUNIT_ASSERT_EQUAL(std::string("good"), branches());
    const std::string trouble = repo().trouble;
    CPPUNIT_ASSERT_MESSAGE(trouble, trouble.find("branch bad cannot be read: fetch ") == 0);
    CPPUNIT_ASSERT_MESSAGE(trouble, trouble.find("duplicate file entries") != std::string::npos);
    poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("tried again at the next look", 2, unbuilt_.at("bad").count);
    poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("then not before its time", 2, unbuilt_.at("bad").count);
    CPPUNIT_ASSERT_EQUAL(trouble, repo().trouble);
    // What is pushed onto it is looked at without delay.
    git_->git("branch -f bad good");
    git_->git("checkout -q bad");
    git_->write("mended", "1");
    git_->commit("mended");
    CPPUNIT_ASSERT_EQUAL(1, poll());
    CPPUNIT_ASSERT_EQUAL(std::string("bad good"), branches());
    CPPUNIT_ASSERT_EQUAL(std::string(), repo().trouble);
    CPPUNIT_ASSERT(unbuilt_.empty());
  }

  void pausesGrow() {
    poller::Failures failures;
    const auto now = poller::Failures::Clock::now();
    const auto pause = [&] {
      failures.add(now);
      return std::chrono::duration_cast<std::chrono::seconds>(failures.again - now).count();
    };
    for (const int expected : {0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600})
      CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(expected), static_cast<std::int64_t>(pause()));
    for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT(pause() == 3600);
  }

  void aStoreThatIsAwayLeavesEverythingAsItWas() {
    poll();
    const auto before = repo();
    moved("main");
    scene_->takeAway("builds");
    CPPUNIT_ASSERT_EQUAL(0, poll());
    scene_->bringBack("builds");
    CPPUNIT_ASSERT_EQUAL(before.heads_json, repo().heads_json);
    CPPUNIT_ASSERT_EQUAL(1, poll());
  }

  void aRepositoryThatDoesNotAnswerKeepsItsHeads() {
    poll();
    const auto before = repo();
    std::filesystem::rename(git_->path, git_->path + "-away");
    CPPUNIT_ASSERT_THROW(poll(), Error);
    scene_->store().setRepoPolling(id_, 1, "ALL");
    scene_->sql("UPDATE repos SET polled_at = 1");
    const auto watching = watch(metrics_);
    waitUntil("the failed look is noted", [&] { return repo().polled_at > 1; });
    CPPUNIT_ASSERT_EQUAL(before.heads_json, repo().heads_json);
    CPPUNIT_ASSERT(metrics_.counter("ocelot_poller_failures_total", "").value() > 0);
    waitUntil("it is told", [&] { return repo().trouble.find("No such file or directory") != std::string::npos; });
    std::filesystem::rename(git_->path + "-away", git_->path);
    scene_->sql("UPDATE repos SET polled_at = 1");
    waitUntil("it is back", [&] {
      scene_->sql("UPDATE repos SET polled_at = 1");
      return repo().trouble.empty();
    });
  }

  void headsAreKeptAsJson() {
    const Heads heads{{"a\"/\xc3\xa9", "1"}, {"b", "2"}};
    CPPUNIT_ASSERT(poller::headsFromJson(poller::toJson(heads)) == heads);
    for (const char* bad : {"", "x", "[]", "null", "1"})
      CPPUNIT_ASSERT_MESSAGE(bad, poller::headsFromJson(bad).empty());
  }

  void branchListsAreRead() {
    const Heads heads{{"main", "1"}, {"dev", "2"}, {"a b", "3"}};
    CPPUNIT_ASSERT(poller::wanted(heads, "ALL") == heads);
    CPPUNIT_ASSERT(poller::wanted(heads, "") == heads);
    CPPUNIT_ASSERT((poller::wanted(heads, " main ,nowhere,, a b") == Heads{{"main", "1"}, {"a b", "3"}}));
    CPPUNIT_ASSERT(poller::wanted(heads, "ma.*").empty());
  }

  void theWatchLooksWhenItsTimeHasCome() {
    const auto watching = watch(metrics_);
    auto& looks = metrics_.counter("ocelot_poller_looks_total", "");
    scene_->store().setRepoPolling(id_, 1, "ALL");
    waitUntil("the first look", [&] { return !repo().heads_json.empty(); });
    moved("main");
    scene_->sql("UPDATE repos SET polled_at = 1");
    waitUntil("the build", [&] { return branches() == "main"; });
    waitUntil("it is counted", [&] { return metrics_.counter("ocelot_poller_builds_total", "").value() == 1; });
    scene_->store().setRepoPolling(id_, 3600, "ALL");
    waitUntil("looks end", [&] {
      const auto before = looks.value();
      const auto until = std::chrono::steady_clock::now() + milliseconds(100);
      while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
      return looks.value() == before;
    });
  }

  void twoWatchesLookOnce() {
    daemon::Metrics other;
    scene_->store().setRepoPolling(id_, 3600, "ALL");
    const auto one = watch(metrics_);
    const auto two = watch(other);
    waitUntil("somebody looked", [&] { return repo().polled_at > 0; });
    waitUntil("the lock is given back", [&] { return scene_->store().tryLead("poll " + id_, "test", 0); });
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, metrics_.counter("ocelot_poller_looks_total", "").value() +
                                               other.counter("ocelot_poller_looks_total", "").value());
  }

  // More that do not answer than there are threads.
  void repositoriesThatDoNotAnswerHoldUpNoOther() {
    for (int i = 0; i < 6; ++i) {
      const auto slow = scene_->addRepo("a/slow" + std::to_string(i), "http://127.0.0.1:1/x.git");
      scene_->store().setRepoPolling(slow.id, 1, "ALL");
    }
    scene_->store().setRepoPolling(id_, 1, "ALL");
    const auto watching = watch(metrics_);
    waitUntil("the good one was looked at", [&] { return !repo().heads_json.empty(); });
    CPPUNIT_ASSERT(metrics_.counter("ocelot_poller_looks_total", "").value() >= 1);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PollerTest);

}  // namespace
