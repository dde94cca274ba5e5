// Names that mean harm run nothing, and git writes nowhere but where it may.

#include <cppunit/extensions/HelperMacros.h>

#include <fstream>

#include "host/git/fence.hpp"
#include "host/git/session.hpp"
#include "tests/scenario/git/git_scene.hpp"
#include "tests/support/git_hostile.hpp"
#include "tests/support/skip.hpp"

using namespace ocelot::git;
using ocelot::test::GitRepo;
namespace fs = std::filesystem;

namespace {

class GitHostileTest : public ocelot::test::GitScene {
  CPPUNIT_TEST_SUITE(GitHostileTest);
  CPPUNIT_TEST(hostileWordsRunNothing);
  CPPUNIT_TEST(shellNamesAreOnlyNames);
  CPPUNIT_TEST(gitCannotWriteElsewhere);
  CPPUNIT_TEST_SUITE_END();

 public:
  void hostileWordsRunNothing() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    Git git(settings());
    for (const std::string& url : ocelot::test::hostileUrls(canary_)) {
      const ocelot::CloneAccess bad{url, "", "", "", ""};
      CPPUNIT_ASSERT_THROW_MESSAGE(url, git.heads(call_, bad), ocelot::Error);
      CPPUNIT_ASSERT_THROW_MESSAGE(url, git.checkout(call_, bad, commit, temp_.path + "/work"), ocelot::Error);
    }
    for (const std::string& branch : ocelot::test::hostileBranches(canary_)) {
      CloneOptions options;
      options.branch = branch;
      CPPUNIT_ASSERT_THROW_MESSAGE(branch, git.resolve(call_, access(repo), branch), ocelot::Error);
      if (branch.empty()) continue;  // detached
      CPPUNIT_ASSERT_THROW_MESSAGE(branch, git.checkout(call_, access(repo), commit, temp_.path + "/work", options),
                                   ocelot::Error);
    }
    for (const std::string& word : ocelot::test::hostileCommits(canary_)) {
      CPPUNIT_ASSERT_THROW_MESSAGE(word, git.fetch(call_, access(repo), word), ocelot::Error);
      CPPUNIT_ASSERT_THROW_MESSAGE(word, git.readFile(call_, access(repo), word, "a", 1), ocelot::Error);
      if (!word.empty())
        CPPUNIT_ASSERT_THROW_MESSAGE(word, git.changes(call_, access(repo), commit, word), ocelot::Error);
    }
    CPPUNIT_ASSERT(!fs::exists(canary_));
    CPPUNIT_ASSERT(!fs::exists(temp_.path + "/work"));
  }

  void shellNamesAreOnlyNames() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    Git git(settings());
    int round = 0;
    // A path in a branch's name would need folders; the canary is one in the current folder of whoever runs it.
    for (const std::string& branch : ocelot::test::shellBranches("canary")) {
      std::ofstream(repo.path + "/.git/packed-refs", std::ios::app) << commit << " refs/heads/" << branch << "\n";
      CPPUNIT_ASSERT_EQUAL(commit, git.resolve(call_, access(repo), branch));
      CloneOptions options;
      options.branch = branch;
      GitRepo work;
      work.path = temp_.path + "/work" + std::to_string(++round);
      git.checkout(call_, access(repo), commit, work.path, options);
      CPPUNIT_ASSERT_EQUAL(branch, work.git("branch --show-current"));
      CPPUNIT_ASSERT(!fs::exists(work.path + "/canary"));
    }
    CPPUNIT_ASSERT(!fs::exists("/canary"));
    CPPUNIT_ASSERT(!fs::exists("canary"));
  }

  void gitCannotWriteElsewhere() {
    if (!WriteFence::supported()) ocelot::test::skip("this kernel has no Landlock");
    const Settings own = settings();
    fs::create_directories(temp_.path + "/inside");
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    const Session session(own, access(repo), checkUrl(repo.path, {false, {temp_.path}}));
    const auto log = [&](const std::string& file) {
      GitCommand git;
      git.arguments = {"log", "--output=" + file, commit};
      git.environment["GIT_DIR"] = repo.path + "/.git";
      git.writable = {temp_.path + "/inside"};
      return session.tryRun(call_, git);
    };
    CPPUNIT_ASSERT(log(temp_.path + "/inside/out").ok());
    CPPUNIT_ASSERT(!log(canary_).ok());
    CPPUNIT_ASSERT(!fs::exists(canary_));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GitHostileTest);

}  // namespace
