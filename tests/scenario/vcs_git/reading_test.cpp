// What the generic git provider reads of real repositories behind a local path.

#include <cppunit/extensions/HelperMacros.h>

#include <fstream>
#include <vector>

#include "plugins/vcs/git/words.hpp"
#include "tests/support/fails.hpp"
#include "tests/support/git_hostile.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/unit/vcs_git/scene.hpp"

using namespace ocelot;
using test::assertFails;
using test::GitRepo;
namespace fs = std::filesystem;

namespace {

class VcsGitReadingTest : public vcs_git::test::Scene {
  CPPUNIT_TEST_SUITE(VcsGitReadingTest);
  CPPUNIT_TEST(hostileWordsAreRefusedAndRunNothing);
  CPPUNIT_TEST(headsAndRevisions);
  CPPUNIT_TEST(aFileIsReadByItsObject);
  CPPUNIT_TEST(changesHaveMessagesAndFiles);
  CPPUNIT_TEST(whatWasPushedBeforeTheQuestionIsInTheAnswer);
  CPPUNIT_TEST(manyTagsHideNoBranch);
  CPPUNIT_TEST(whatACommitHoldsIsReadOnce);
  CPPUNIT_TEST_SUITE_END();

 public:
  void hostileWordsAreRefusedAndRunNothing() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    for (const std::string& url : test::hostileUrls(canary_)) {
      CPPUNIT_ASSERT_THROW_MESSAGE(url, git_.heads(call_, {"x", url}), Error);
      CPPUNIT_ASSERT_THROW_MESSAGE(url, git_.clone(call_, {"x", url}), Error);
      try {
        vcs_git::checkUrl(url, false, {});
        CPPUNIT_FAIL("accepted: " + url);
      } catch (const Error& error) {
        CPPUNIT_ASSERT_MESSAGE(url, error.status() == Status::invalid);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(url, std::string::npos, std::string(error.what()).find("password@"));
      }
    }
    for (const std::string& word : test::hostileBranches(canary_))
      CPPUNIT_ASSERT_THROW_MESSAGE(word, git_.resolve(call_, of(repo), word), Error);
    for (const std::string& word : test::hostileCommits(canary_)) {
      CPPUNIT_ASSERT_THROW_MESSAGE(word, git_.readFile(call_, {of(repo), word}, "a", 1), Error);
      CPPUNIT_ASSERT_THROW_MESSAGE(word, git_.changes(call_, {of(repo), word}, ""), Error);
      if (!word.empty()) CPPUNIT_ASSERT_THROW_MESSAGE(word, git_.changes(call_, {of(repo), commit}, word), Error);
    }
    for (const std::string& word : test::hostilePaths(canary_))
      CPPUNIT_ASSERT_THROW_MESSAGE(word, git_.readFile(call_, {of(repo), commit}, word, 1), Error);
    for (const std::string& word : test::shellBranches("canary")) vcs_git::checkBranch(word);
    CPPUNIT_ASSERT(!fs::exists(canary_));
  }

  void headsAndRevisions() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string first = repo.commit("one");
    repo.git("tag -a v1 -m v1");
    repo.git("branch a/main");
    const std::string second = repo.commit("two");
    const auto heads = git_.heads(call_, of(repo));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, heads.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a/main"), heads[0].branch);
    CPPUNIT_ASSERT_EQUAL(second, heads[1].commit);
    CPPUNIT_ASSERT_EQUAL(second, git_.resolve(call_, of(repo), "main"));
    CPPUNIT_ASSERT_EQUAL(first, git_.resolve(call_, of(repo), "v1"));
    CPPUNIT_ASSERT_EQUAL(first, git_.resolve(call_, of(repo), first.substr(0, 8)));
    CPPUNIT_ASSERT_EQUAL(first, git_.resolve(call_, of(repo), first));
    assertFails(Status::not_found, "no such", [&] { git_.resolve(call_, of(repo), "nowhere"); });
    assertFails(Status::not_found, "there is no such commit",
                [&] { git_.resolve(call_, of(repo), std::string(40, 'a')); });
    assertFails(Status::not_found, "does not appear to be a git repository", [&] {
      git_.heads(call_, {"x", temp_.path});
    });
  }

  void aFileIsReadByItsObject() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("sub/a*.yml", std::string("one\0\n", 5));
    fs::create_symlink("/etc/passwd", repo.path + "/link");
    fs::create_directory_symlink("/etc", repo.path + "/etc");
    const std::string commit = repo.commit();
    repo.write("sub/a*.yml", "two");
    const auto read = [&](const char* path, std::uint64_t most = 100) {
      return git_.readFile(call_, {of(repo), commit}, path, most);
    };
    CPPUNIT_ASSERT_EQUAL(std::string("one\0\n", 5), read("sub/a*.yml", 5));
    assertFails(Status::invalid, "it has 5 bytes; at most 4 are read", [&] { read("sub/a*.yml", 4); });
    assertFails(Status::not_found, "there is no such file", [&] { read("sub/a"); });
    assertFails(Status::not_found, "there is no such file", [&] { read("etc/passwd"); });
    assertFails(Status::invalid, "symbolic link", [&] { read("link"); });
    assertFails(Status::invalid, "folder", [&] { read("sub"); });
  }

  void changesHaveMessagesAndFiles() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string first = repo.commit("first");
    repo.write("b\n\"c", "1");
    repo.commit("second");
    const std::string last = repo.commit("third");
    Change change = git_.changes(call_, {of(repo), last}, first);
    CPPUNIT_ASSERT_EQUAL(std::string("third"), change.message);
    CPPUNIT_ASSERT_EQUAL(std::string("Ada <ada@example.com>"), change.author);
    CPPUNIT_ASSERT((change.messages == std::vector<std::string>{"second", "third"}));
    CPPUNIT_ASSERT((change.files == std::vector<std::string>{"b\n\"c"}));
    CPPUNIT_ASSERT(change.files_complete);
    change = git_.changes(call_, {of(repo), first}, "");
    CPPUNIT_ASSERT((change.files == std::vector<std::string>{"a"}));
    change = git_.changes(call_, {of(repo), last}, std::string(40, 'b'));
    CPPUNIT_ASSERT(!change.files_complete);
  }

  void whatWasPushedBeforeTheQuestionIsInTheAnswer() {
    const GitRepo repo(temp_.path + "/repo");
    for (int i = 0; i < 5; ++i) {
      const std::string commit = repo.commit(std::to_string(i));
      if (i == 2) repo.git("pack-refs --all");
      const auto heads = git_.heads(call_, of(repo));
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, heads.size());
      CPPUNIT_ASSERT_EQUAL(commit, heads[0].commit);
      CPPUNIT_ASSERT_EQUAL(commit, git_.resolve(call_, of(repo), "main"));
    }
    const GitRepo empty(temp_.path + "/empty");
    CPPUNIT_ASSERT(git_.heads(call_, of(empty)).empty());
    const GitRepo modern(temp_.path + "/modern", "--object-format=sha256");
    const std::string commit = modern.commit();
    CPPUNIT_ASSERT_EQUAL(commit, git_.heads(call_, of(modern)).at(0).commit);
  }

  // More than is read of the shorter answer.

  void manyTagsHideNoBranch() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    repo.git("branch -m zzz");
    repo.git("pack-refs --all");
    std::ofstream refs(repo.path + "/.git/packed-refs");
    refs << "# pack-refs with: peeled fully-peeled sorted \n";
    for (int i = 0; i < 60000; ++i)
      refs << commit << " refs/aaa/" << 1000000 + i << "/" << std::string(20, 'x') << "\n";
    refs << commit << " refs/heads/zzz\n";
    refs.close();
    const auto heads = git_.heads(call_, of(repo));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, heads.size());
    CPPUNIT_ASSERT_EQUAL(std::string("zzz"), heads[0].branch);
  }

  void whatACommitHoldsIsReadOnce() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string commit = repo.commit("first");
    const auto read = [&] {
      CPPUNIT_ASSERT_EQUAL(std::string("1"), git_.readFile(call_, {of(repo), commit}, "a", 100));
      assertFails(Status::not_found, "there is no such file", [&] {
        git_.readFile(call_, {of(repo), commit}, "b", 100);
      });
      const Change change = git_.changes(call_, {of(repo), commit}, "");
      CPPUNIT_ASSERT_EQUAL(std::string("first"), change.message);
      CPPUNIT_ASSERT_EQUAL(commit, change.commit);
      CPPUNIT_ASSERT_EQUAL(repo.path, change.repo.url);
      CPPUNIT_ASSERT((change.files == std::vector<std::string>{"a"}));
    };
    read();
    const std::string mirrors = temp_.path + "/cache";
    fs::rename(mirrors, mirrors + "-away");
    read();
    // Another bound is another question, and so is the same one of another repository.
    CPPUNIT_ASSERT_THROW(git_.readFile(call_, {of(repo), commit}, "a", 0), Error);
    fs::rename(mirrors + "-away", mirrors);
    assertFails(Status::invalid, "at most 0 are read", [&] { git_.readFile(call_, {of(repo), commit}, "a", 0); });
    const GitRepo other(temp_.path + "/other");
    other.commit();
    assertFails(Status::not_found, "no such commit", [&] { git_.readFile(call_, {of(other), commit}, "a", 100); });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VcsGitReadingTest);

}  // namespace
