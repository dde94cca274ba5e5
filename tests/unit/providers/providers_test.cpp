// VCS providers by the names that the operator gave them, with the real git plugin.

#include "host/providers/providers.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/git_repo.hpp"
#include "tests/support/scene.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;
using providers::Providers;

class ProvidersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProvidersTest);
  CPPUNIT_TEST(gitIsAlwaysThere);
  CPPUNIT_TEST(providersHaveTheNamesTheyWereGiven);
  CPPUNIT_TEST(anUnknownNameIsToldWithTheKnownOnes);
  CPPUNIT_TEST(badOptionsAreToldWithTheirPlace);
  CPPUNIT_TEST(aPluginThatIsNotThereIsTold);
  CPPUNIT_TEST(repositoriesAreIdentified);
  CPPUNIT_TEST(whatAUserThrowsComesThrough);
  CPPUNIT_TEST(fourMayUseOneProviderAtOnce);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TempFolder> folder_;

  struct Ground {
    Ground(const std::string& folder, const std::string& yaml)
        : config(configIn(folder, yaml)), providers(config, [](const std::string&) { return std::nullopt; }) {}
    config::Config config;
    Providers providers;
  };
  std::unique_ptr<Ground> with(const std::string& yaml) { return std::make_unique<Ground>(folder_->path, yaml); }

  static void refused(Status status, const std::string& says, const std::function<void()>& what) {
    try {
      what();
    } catch (const Error& error) {
      CPPUNIT_ASSERT_MESSAGE(error.what(), error.status() == status);
      CPPUNIT_ASSERT_MESSAGE(error.what(), std::string(error.what()).find(says) != std::string::npos);
      return;
    }
    CPPUNIT_FAIL("it was not refused: " + says);
  }

 public:
  void setUp() override { folder_ = std::make_unique<TempFolder>(); }
  void tearDown() override { folder_.reset(); }

  void gitIsAlwaysThere() {
    CPPUNIT_ASSERT(with("")->providers.names() == std::vector<std::string>{"git"});
    const auto own = with("plugins: {vcs: {git: {local_repos: [/srv]}}}");
    CPPUNIT_ASSERT_MESSAGE("once", own->providers.names() == std::vector<std::string>{"git"});
  }

  void providersHaveTheNamesTheyWereGiven() {
    const auto ground = with("plugins: {vcs: {work: {plugin: git}, home: {plugin: git}}}");
    CPPUNIT_ASSERT((ground->providers.names() == std::vector<std::string>{"git", "home", "work"}));
    int used = 0;
    for (const char* name : {"home", "work", "git"}) ground->providers.with(name, [&](Vcs&) { ++used; });
    CPPUNIT_ASSERT_EQUAL(3, used);
  }

  void anUnknownNameIsToldWithTheKnownOnes() {
    refused(Status::not_found, "VCS provider `gitea` is not configured (plugins.vcs has: git, work)",
            [&] { with("plugins: {vcs: {work: {plugin: git}}}")->providers.with("gitea", [](Vcs&) {}); });
  }

  void badOptionsAreToldWithTheirPlace() {
    const auto ground = with("plugins:\n  vcs:\n    work:\n      plugin: git\n      cahce: /x\n");
    for (int i = 0; i < 6; ++i)  // a failure takes no handle away
      refused(Status::invalid, "cahce", [&] { ground->providers.with("work", [](Vcs&) {}); });
    refused(Status::invalid, "server.yaml:5", [&] { ground->providers.with("work", [](Vcs&) {}); });
    refused(Status::invalid, "VCS provider `work`", [&] { ground->providers.with("work", [](Vcs&) {}); });
    ground->providers.with("git", [](Vcs&) {});
  }

  void aPluginThatIsNotThereIsTold() {
    refused(Status::not_found, "mercurial",
            [&] { with("plugins: {vcs: {hg: {plugin: mercurial}}}")->providers.with("hg", [](Vcs&) {}); });
  }

  void repositoriesAreIdentified() {
    GitRepo git(folder_->path + "/repo");
    git.commit();
    const auto ground = with("plugins: {vcs: {work: {plugin: git}}}");
    SimpleCall call(std::chrono::milliseconds(20000));
    CPPUNIT_ASSERT_EQUAL(std::string("work"), ground->providers.identify(call, git.path, "").provider);
    const auto found = ground->providers.identify(call, git.path, "git");
    CPPUNIT_ASSERT_EQUAL(std::string("git"), found.provider);
    CPPUNIT_ASSERT_EQUAL(git.path, found.repo.url);
    refused(Status::not_found, "nobody", [&] { ground->providers.identify(call, git.path, "nobody"); });
    CPPUNIT_ASSERT_THROW(ground->providers.identify(call, "ext::sh -c x", ""), Error);
  }

  void whatAUserThrowsComesThrough() {
    const auto ground = with("");
    for (int i = 0; i < 6; ++i)
      CPPUNIT_ASSERT_THROW(ground->providers.with("git", [](Vcs&) { throw std::out_of_range("x"); }),
                           std::out_of_range);
    ground->providers.with("git", [](Vcs&) {});
  }

  void fourMayUseOneProviderAtOnce() {
    const auto ground = with("");
    std::mutex mutex;
    std::condition_variable changed;
    int inside = 0, most = 0, done = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        ground->providers.with("git", [&](Vcs&) {
          std::unique_lock lock(mutex);
          most = std::max(most, ++inside);
          changed.notify_all();
          changed.wait(lock, [&] { return most == 4; });
          --inside;
          ++done;
        });
      });
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(4, most);
    CPPUNIT_ASSERT_EQUAL(8, done);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ProvidersTest);

}  // namespace
