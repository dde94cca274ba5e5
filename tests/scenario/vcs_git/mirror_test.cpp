// The mirrors of the generic git provider: damaged, refused, bounded, away.

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <vector>

#include "tests/support/fails.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/unit/vcs_git/scene.hpp"

using namespace ocelot;
using test::assertFails;
using test::GitRepo;
namespace fs = std::filesystem;

namespace {

class VcsGitMirrorTest : public vcs_git::test::Scene {
  CPPUNIT_TEST_SUITE(VcsGitMirrorTest);
  CPPUNIT_TEST(aDamagedMirrorIsMadeAnew);
  CPPUNIT_TEST(aBranchThatIsRefusedHarmsItselfAlone);
  CPPUNIT_TEST(refusedBranchesAreFoundAmongMany);
  CPPUNIT_TEST(serversThatGiveNoCommitByItsIdAreAskedForTheirBranches);
  CPPUNIT_TEST(fetchesLeaveBoundedNames);
  CPPUNIT_TEST(aRepositoryThatIsAwayIsNoMissingCommit);
  CPPUNIT_TEST(hooksOfTheRepositoryDoNotRun);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aDamagedMirrorIsMadeAnew() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string first = repo.commit();
    git_.readFile(call_, {of(repo), first}, "a", 100);
    for (const char* damage : {"truncate -s 20 */objects/pack/*.pack", "rm -rf */objects/pack/*", "rm -f */HEAD",
                               "echo x > $(ls -d *.git)/config"}) {
      test::shell("cd '" + temp_.path + "/cache' && { " + damage + "; }");
      repo.write("a", damage);
      const std::string next = repo.commit();
      CPPUNIT_ASSERT_EQUAL(std::string(damage), git_.readFile(call_, {of(repo), next}, "a", 100));
    }
  }

  void aBranchThatIsRefusedHarmsItselfAlone() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string before = repo.commit("first");
    const std::string bad = repo.malformed("bad");
    repo.write("a", "2");
    const std::string good = repo.commit("second");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, git_.heads(call_, of(repo)).size());
    CPPUNIT_ASSERT_EQUAL(std::string("2"), git_.readFile(call_, {of(repo), good}, "a", 100));
    CPPUNIT_ASSERT_EQUAL(std::string("second"), git_.changes(call_, {of(repo), good}, before).message);
    assertFails(Status::invalid, "contains duplicate file entries", [&] {
      git_.changes(call_, {of(repo), bad}, before);
    });
    // Built on top of it, and unbuildable for it, until it is mended.
    repo.git("checkout -q bad -f");
    repo.git("rm -q --cached -r . ");
    repo.write("a", "3");
    const std::string on_top = repo.commit("on top");
    assertFails(Status::invalid, "duplicate file entries", [&] { git_.readFile(call_, {of(repo), on_top}, "a", 100); });
    repo.git("checkout -q -f -B bad main");
    repo.write("a", "4");
    const std::string mended = repo.commit("mended");
    CPPUNIT_ASSERT_EQUAL(std::string("4"), git_.readFile(call_, {of(repo), mended}, "a", 100));
  }

  // An abbreviation can be any branch's, so all are fetched: each one that can be.

  void refusedBranchesAreFoundAmongMany() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    repo.commit("first");
    std::vector<std::string> commits;
    for (int i = 0; i < 40; ++i) {
      repo.git("checkout -q -B b" + std::to_string(i) + " main");
      repo.write("a", "b" + std::to_string(i));
      commits.push_back(repo.commit("of b" + std::to_string(i)));
    }
    repo.malformed("b7");
    const std::string bad = repo.malformed("b33");
    for (const int i : {0, 6, 8, 32, 34, 39})
      CPPUNIT_ASSERT_EQUAL(commits[static_cast<std::size_t>(i)],
                           git_.resolve(call_, of(repo), commits[static_cast<std::size_t>(i)].substr(0, 12)));
    assertFails(Status::invalid, "refs/heads/b33: ", [&] { git_.resolve(call_, of(repo), bad.substr(0, 12)); });
    const std::string ours = test::shell("cd '" + temp_.path + "'/cache/*.git && git for-each-ref refs/heads | wc -l");
    CPPUNIT_ASSERT_EQUAL_MESSAGE("every branch but two", std::string("39"), ours);
  }

  // As git was before version 2 of its protocol: behind ssh, on a host that does not take the client's word for it.

  void serversThatGiveNoCommitByItsIdAreAskedForTheirBranches() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string first = repo.commit("first");
    repo.write("a", "2");
    repo.commit("second");
    const std::string bad = repo.malformed("bad");
    fs::create_directories(temp_.path + "/bin");
    const std::string ssh = temp_.path + "/bin/ssh";
    std::ofstream(ssh) << "#!/bin/sh\nfor command; do :; done\n"
                          "unset GIT_PROTOCOL GIT_DIR\nexport GIT_CONFIG_GLOBAL=/dev/null\n"
                          "cd /\neval \"exec $command\"\n";
    fs::permissions(ssh, fs::perms::owner_all);
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", (temp_.path + "/bin:" + path).c_str(), 1);
    const Repo remote{"a/b", "ssh://git@example.com" + repo.path};
    std::string why;
    try {
      CPPUNIT_ASSERT_EQUAL_MESSAGE("no branch ends in it", std::string("1"),
                                   git_.readFile(call_, {remote, first}, "a", 100));
      assertFails(Status::invalid, "duplicate file entries", [&] { git_.readFile(call_, {remote, bad}, "a", 100); });
      assertFails(Status::invalid, "refs/heads/bad: ", [&] {
        git_.readFile(call_, {remote, std::string(40, 'a')}, "a", 100);
      });
    } catch (...) {
      ::setenv("PATH", path.c_str(), 1);
      throw;
    }
    ::setenv("PATH", path.c_str(), 1);
  }

  void fetchesLeaveBoundedNames() {
    const GitRepo repo(temp_.path + "/repo");
    std::set<std::string> names;
    for (int i = 0; i < 5; ++i) {
      repo.write("a", std::to_string(i));
      const std::string commit = repo.commit();
      CPPUNIT_ASSERT_EQUAL(std::to_string(i), git_.readFile(call_, {of(repo), commit}, "a", 100));
      names.insert("refs/ocelot/" + commit.substr(0, 2));
    }
    std::string expected;
    for (const std::string& name : names) expected += (expected.empty() ? "" : "\n") + name;
    CPPUNIT_ASSERT_EQUAL(expected,
                         test::shell("cd '" + temp_.path + "'/cache/*.git && git for-each-ref --format='%(refname)'"));
  }

  void aRepositoryThatIsAwayIsNoMissingCommit() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string first = repo.commit();
    CPPUNIT_ASSERT_EQUAL(std::string("1"), git_.readFile(call_, {of(repo), first}, "a", 100));
    repo.write("a", "2");
    const std::string second = repo.commit();
    const auto away = [&](const std::string& says) {
      assertFails(Status::not_found, says, [&] { git_.heads(call_, of(repo)); });
      assertFails(Status::unavailable, says, [&] { git_.resolve(call_, of(repo), "main"); });
      assertFails(Status::unavailable, says, [&] { git_.changes(call_, {of(repo), second}, first); });
      assertFails(Status::unavailable, says, [&] { git_.readFile(call_, {of(repo), second}, "a", 100); });
    };
    fs::rename(repo.path, repo.path + "-away");
    away("No such file or directory");
    CPPUNIT_ASSERT_THROW_MESSAGE("what is known of it too", git_.readFile(call_, {of(repo), first}, "a", 100), Error);
    fs::create_directory(repo.path);
    away("does not appear to be a git repository");
    fs::remove(repo.path);
    fs::rename(repo.path + "-away", repo.path);
    CPPUNIT_ASSERT_EQUAL(std::string("2"), git_.readFile(call_, {of(repo), second}, "a", 100));
  }

  void hooksOfTheRepositoryDoNotRun() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    repo.git("config uploadpack.packObjectsHook 'touch " + canary_ + "; exec'");
    repo.git("config core.fsmonitor 'touch " + canary_ + "'");
    git_.changes(call_, {of(repo), commit}, "");
    CPPUNIT_ASSERT(!fs::exists(canary_));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VcsGitMirrorTest);

}  // namespace
