// What is read of a repository without a checkout: heads, revisions, files, changes.

#include <cppunit/extensions/HelperMacros.h>

#include <vector>

#include "tests/scenario/git/git_scene.hpp"
#include "tests/support/git_hostile.hpp"

using namespace ocelot::git;
using ocelot::test::assertFails;
using ocelot::test::GitRepo;
namespace fs = std::filesystem;

namespace {

class GitReadingTest : public ocelot::test::GitScene {
  CPPUNIT_TEST_SUITE(GitReadingTest);
  CPPUNIT_TEST(gitIsThereAndNewEnough);
  CPPUNIT_TEST(headsAreListed);
  CPPUNIT_TEST(revisionsAreResolved);
  CPPUNIT_TEST(aFileIsReadAtItsCommit);
  CPPUNIT_TEST(whatIsNoRegularFileIsRefused);
  CPPUNIT_TEST(changesHaveMessagesAndFiles);
  CPPUNIT_TEST(changesSinceAnUnknownCommitAreIncomplete);
  CPPUNIT_TEST_SUITE_END();

 public:
  void gitIsThereAndNewEnough() {
    const Facts facts = Git(settings()).probe(call_);
    CPPUNIT_ASSERT_EQUAL(std::string(), facts.why_not);
    CPPUNIT_ASSERT(facts.version.compare(0, 2, "2.") == 0);
    Settings other = settings();
    other.program = "no-such-git";
    CPPUNIT_ASSERT(Git(other).probe(call_).why_not.find("no-such-git") != std::string::npos);
  }

  void headsAreListed() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string first = repo.commit();
    repo.git("branch feature/x");
    repo.git("tag v1");
    const auto heads = Git(settings()).heads(call_, access(repo));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, heads.size());
    CPPUNIT_ASSERT_EQUAL(std::string("feature/x"), heads[0].branch);
    CPPUNIT_ASSERT_EQUAL(std::string("main"), heads[1].branch);
    CPPUNIT_ASSERT_EQUAL(first, heads[1].commit);
  }

  void revisionsAreResolved() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string first = repo.commit("one");
    repo.git("tag -a v1 -m v1");
    repo.git("branch a/main");  // ends like another
    const std::string second = repo.commit("two");
    Git git(settings());
    CPPUNIT_ASSERT_EQUAL(second, git.resolve(call_, access(repo), "main"));
    CPPUNIT_ASSERT_EQUAL(first, git.resolve(call_, access(repo), "a/main"));
    CPPUNIT_ASSERT_EQUAL(first, git.resolve(call_, access(repo), "v1"));
    CPPUNIT_ASSERT_EQUAL(first, git.resolve(call_, access(repo), first.substr(0, 10)));
    CPPUNIT_ASSERT_EQUAL(second, git.resolve(call_, access(repo), second));
    assertFails(ocelot::Status::not_found, "no such branch, tag or commit",
                [&] { git.resolve(call_, access(repo), "nowhere"); });
    assertFails(ocelot::Status::not_found, "no such branch, tag or commit",
                [&] { git.resolve(call_, access(repo), "abcdef0123"); });
  }

  void aFileIsReadAtItsCommit() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("sub/a*.yml", std::string("one\0\n", 5));
    const std::string first = repo.commit();
    repo.write("sub/a*.yml", "two");
    repo.commit();
    Git git(settings());
    CPPUNIT_ASSERT_EQUAL(std::string("one\0\n", 5), git.readFile(call_, access(repo), first, "sub/a*.yml", 5));
    assertFails(ocelot::Status::not_found, "there is no such file",
                [&] { git.readFile(call_, access(repo), first, "sub/a", 5); });
    assertFails(ocelot::Status::invalid, "it has 5 bytes; at most 4 are read",
                [&] { git.readFile(call_, access(repo), first, "sub/a*.yml", 4); });
  }

  void whatIsNoRegularFileIsRefused() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("folder/x", "");
    fs::create_symlink("/etc/passwd", repo.path + "/link");
    fs::create_directory_symlink("/etc", repo.path + "/etc");
    repo.commit();
    repo.git("update-index --add --cacheinfo 160000," + repo.git("rev-parse HEAD") + ",module");
    repo.git("commit -q -m module");
    const std::string commit = repo.git("rev-parse HEAD");
    Git git(settings());
    const auto read = [&](const std::string& path) {
      return [&, path] { git.readFile(call_, access(repo), commit, path, 1000); };
    };
    assertFails(ocelot::Status::invalid, "symbolic link", read("link"));
    assertFails(ocelot::Status::not_found, "no such file", read("etc/passwd"));
    assertFails(ocelot::Status::invalid, "folder", read("folder"));
    assertFails(ocelot::Status::invalid, "submodule", read("module"));
    for (const std::string& path : ocelot::test::hostilePaths(canary_))
      assertFails(ocelot::Status::invalid, "path \"", read(path));
  }

  void changesHaveMessagesAndFiles() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string first = repo.commit("first");
    repo.write("b\n\"c", "1");
    repo.commit("second\n\nwith a body");
    fs::remove(repo.path + "/a");
    const std::string last = repo.commit("third");
    Git git(settings());
    ocelot::Change change = git.changes(call_, access(repo), last, first);
    CPPUNIT_ASSERT_EQUAL(std::string("third"), change.message);
    CPPUNIT_ASSERT_EQUAL(std::string("Ada <ada@example.com>"), change.author);
    CPPUNIT_ASSERT((change.messages == std::vector<std::string>{"second\n\nwith a body", "third"}));
    CPPUNIT_ASSERT((change.files == std::vector<std::string>{"a", "b\n\"c"}));
    CPPUNIT_ASSERT(change.files_complete);
    change = git.changes(call_, access(repo), last, "");
    CPPUNIT_ASSERT((change.messages == std::vector<std::string>{"third"}));
    CPPUNIT_ASSERT((change.files == std::vector<std::string>{"a"}));
    change = git.changes(call_, access(repo), first, "");  // the root
    CPPUNIT_ASSERT((change.files == std::vector<std::string>{"a"}));
    change = git.changes(call_, access(repo), first, last);  // a branch set back
    CPPUNIT_ASSERT_EQUAL(std::string("first"), change.message);
  }

  void changesSinceAnUnknownCommitAreIncomplete() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string commit = repo.commit();
    const ocelot::Change change = Git(settings()).changes(call_, access(repo), commit, std::string(40, 'b'));
    CPPUNIT_ASSERT(!change.files_complete);
    CPPUNIT_ASSERT((change.files == std::vector<std::string>{"a"}));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GitReadingTest);

}  // namespace
