// The generic git provider, on real repositories behind a local path.

#include "plugins/vcs/git/git.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "plugins/vcs/git/environment.hpp"
#include "plugins/vcs/git/hook.hpp"
#include "plugins/vcs/git/program.hpp"
#include "plugins/vcs/git/words.hpp"
#include "tests/support/git_hostile.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/scripted_host.hpp"
#include "tests/support/temp_folder.hpp"

using namespace ocelot;
using test::GitRepo;
namespace fs = std::filesystem;

namespace {

template <typename Doing>
void assertFails(Status status, const std::string& says, Doing doing) {
  try {
    doing();
  } catch (const Error& error) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), static_cast<int>(status), static_cast<int>(error.status()));
    CPPUNIT_ASSERT_MESSAGE(error.what(), std::string(error.what()).find(says) != std::string::npos);
    return;
  }
  CPPUNIT_FAIL("nothing was thrown; expected: " + says);
}

}  // namespace

class VcsGitTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VcsGitTest);
  CPPUNIT_TEST(urlsAreIdentifiedAndNamed);
  CPPUNIT_TEST(hostileWordsAreRefusedAndRunNothing);
  CPPUNIT_TEST(localPathsOnlyBelowTheListedFolders);
  CPPUNIT_TEST(headsAndRevisions);
  CPPUNIT_TEST(aFileIsReadByItsObject);
  CPPUNIT_TEST(changesHaveMessagesAndFiles);
  CPPUNIT_TEST(whatWasPushedBeforeTheQuestionIsInTheAnswer);
  CPPUNIT_TEST(manyTagsHideNoBranch);
  CPPUNIT_TEST(whatACommitHoldsIsReadOnce);
  CPPUNIT_TEST(aDamagedMirrorIsMadeAnew);
  CPPUNIT_TEST(aBranchThatIsRefusedHarmsItselfAlone);
  CPPUNIT_TEST(refusedBranchesAreFoundAmongMany);
  CPPUNIT_TEST(serversThatGiveNoCommitByItsIdAreAskedForTheirBranches);
  CPPUNIT_TEST(fetchesLeaveBoundedNames);
  CPPUNIT_TEST(aRepositoryThatIsAwayIsNoMissingCommit);
  CPPUNIT_TEST(hooksOfTheRepositoryDoNotRun);
  CPPUNIT_TEST(aSignatureHoldsOrDoesNot);
  CPPUNIT_TEST(aPushIsRead);
  CPPUNIT_TEST(badPushesAreRefused);
  CPPUNIT_TEST(cloneHandsOutTheCredentials);
  CPPUNIT_TEST(credentialsGoByEnvironmentAlone);
  CPPUNIT_TEST(aCacheOfSomebodyElseIsRefused);
  CPPUNIT_TEST(programsEndWithTheirCall);
  CPPUNIT_TEST_SUITE_END();

  test::TempFolder temp_;
  test::ScriptedHost host_;
  SimpleCall call_{std::chrono::seconds(120)};
  std::string canary_ = temp_.path + "/canary";

  Settings settings() {
    Settings settings("git", host_);
    settings.set("cache", {temp_.path + "/cache"});
    settings.set("local_repos", {temp_.path});
    settings.set("hook_secret", {"key"});
    return settings;
  }
  const Settings settings_ = settings();
  vcs_git::Git git_{settings_};
  static Repo of(const GitRepo& repo) { return {"a/b", repo.path}; }

  std::string signature(const std::string& key, const std::string& body) {
    std::string out = "sha256=";
    for (const char c : host_.crypto().hmacSha256(key, body)) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
      out += two;
    }
    return out;
  }

 public:
  void urlsAreIdentifiedAndNamed() {
    const auto name = [&](const char* url) { return git_.identify(call_, url).name; };
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("https://example.com/a/b.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("https://example.com:8443/group/a/b/"));
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("ssh://git@example.com:22/a/b.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("git@example.com:a/b.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("b"), name("git@example.com:b"));
    CPPUNIT_ASSERT_EQUAL(std::string("~me/b"), name("ssh://example.com/~me/b"));
    assertFails(Status::not_found, "give its URL", [&] { git_.identify(call_, "a/b"); });
    const GitRepo repo(temp_.path + "/repo");
    CPPUNIT_ASSERT_EQUAL(fs::path(temp_.path).filename().string() + "/repo",
                         git_.identify(call_, repo.path + "/").name);
    CPPUNIT_ASSERT_EQUAL(fs::path(temp_.path).filename().string() + "/repo",
                         git_.identify(call_, repo.path + "/.git").name);
  }

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

  void localPathsOnlyBelowTheListedFolders() {
    fs::create_directories(temp_.path + "/repos/a");
    fs::create_directories(temp_.path + "/repos-other");
    fs::create_directory_symlink(temp_.path + "/repos-other", temp_.path + "/repos/link");
    CPPUNIT_ASSERT_EQUAL(std::string("file"),
                         vcs_git::checkUrl(temp_.path + "/repos/a", false, {temp_.path + "/repos"}).protocol);
    for (const char* path : {"/repos-other", "/repos/link", "/repos/a/../../repos-other"}) {
      assertFails(Status::invalid, "", [&] { vcs_git::checkUrl(temp_.path + path, false, {temp_.path + "/repos"}); });
    }
    assertFails(Status::invalid, "local_repos", [&] { vcs_git::checkUrl(temp_.path, false, {}); });
    assertFails(Status::invalid, "allow_http", [&] { vcs_git::checkUrl("http://example.com/a", false, {}); });
    CPPUNIT_ASSERT_EQUAL(std::string("http"), vcs_git::checkUrl("http://example.com/a", true, {}).protocol);
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

  void aSignatureHoldsOrDoesNot() {
    const std::string body = "{\"repo\": \"a/b\"}", right = signature("key", body);
    git_.verifyHook(call_, {{{"x-ocelot-signature-256", right}}, body});
    std::string upper = right, flipped = right;
    for (std::size_t i = 7; i < upper.size(); ++i) upper[i] = static_cast<char>(std::toupper(upper[i]));
    flipped.back() = flipped.back() == '0' ? '1' : '0';
    const std::vector<Hook> bad{
        {{}, body},
        {{{"x-ocelot-signature-256", ""}}, body},
        {{{"x-ocelot-signature-256", "sha256="}}, body},
        {{{"x-ocelot-signature-256", right.substr(7)}}, body},
        {{{"x-ocelot-signature-256", right + "0"}}, body},
        {{{"x-ocelot-signature-256", right.substr(0, right.size() - 1)}}, body},
        {{{"x-ocelot-signature-256", upper}}, body},
        {{{"x-ocelot-signature-256", flipped}}, body},
        {{{"x-ocelot-signature-256", right}}, body + " "},
        {{{"x-ocelot-signature-256", right}, {"x-ocelot-signature-256", right}}, body},
        {{{"x-ocelot-signature-256", signature("other", body)}}, body},
        {{{"x-ocelot-signature", right}}, body},
    };
    std::string said;
    for (const Hook& hook : bad) {
      try {
        git_.verifyHook(call_, hook);
        CPPUNIT_FAIL("accepted");
      } catch (const Error& error) {
        CPPUNIT_ASSERT(error.status() == Status::unauthenticated);
        CPPUNIT_ASSERT(said.empty() || said == error.what());  // the same words for every cause
        said = error.what();
      }
    }
    Settings without = settings();
    without.set("hook_secret", {});
    vcs_git::Git none(without);
    assertFails(Status::unauthenticated, "", [&] {
      none.verifyHook(call_, {{{"x-ocelot-signature-256", signature("", body)}}, body});
    });
  }

  void aPushIsRead() {
    const std::string commit(40, 'a'), before(40, 'b'), zeros(40, '0');
    auto changes =
        git_.parseHook(call_, {{},
                               R"({"repo":"https://example.com/a/b.git","branch":"refs/heads/main","commit":")" +
                                   commit + R"(","before":")" + before + "\"}"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, changes.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), changes[0].repo.name);
    CPPUNIT_ASSERT_EQUAL(std::string("main"), changes[0].branch);
    CPPUNIT_ASSERT_EQUAL(before, changes[0].before);
    CPPUNIT_ASSERT(!changes[0].files_complete);
    changes = git_.parseHook(call_, {{},
                                     R"({"repo":"a/b","branch":"main","commit":")" + commit + R"(","before":")" +
                                         zeros + R"(","more":{"x":[1]}})"});
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), changes[0].repo.name);
    CPPUNIT_ASSERT_EQUAL(std::string(), changes[0].before);
    assertFails(Status::ignored, "was removed", [&] {
      git_.parseHook(call_, {{}, R"({"repo":"a/b","branch":"main","commit":")" + zeros + "\"}"});
    });
  }

  void badPushesAreRefused() {
    const std::string a(40, 'a');
    for (const std::string& body :
         {std::string(), std::string("x"), std::string("[]"), std::string("null"), std::string("\"x\""),
          std::string("{"), std::string(1000000, '['), std::string("{\"repo\":\"a/b\",\"branch\":\"main\"}"),
          R"({"repo":null,"branch":"main","commit":")" + a + "\"}",
          R"({"repo":["x"],"branch":"main","commit":")" + a + "\"}",
          R"({"repo":"a/b","branch":9223372036854775808,"commit":")" + a + "\"}",
          R"({"repo":"a/b","branch":"--upload-pack=x","commit":")" + a + "\"}",
          R"({"repo":"a/b","branch":"","commit":")" + a + "\"}",
          std::string(R"({"repo":"a/b","branch":"main","commit":"HEAD"})"),
          R"({"repo":"a/b","branch":"main","commit":")" + a + "\",\"before\":\"x\"}",
          R"({"repo":"ext::sh","branch":"main","commit":")" + a + "\"}",
          R"({"repo":"file:///etc","branch":"main","commit":")" + a + "\"}",
          R"({"repo":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}},"branch":"main","commit":")" + a + "\"}"}) {
      assertFails(Status::invalid, "", [&] { git_.parseHook(call_, {{}, body}); });
    }
  }

  void cloneHandsOutTheCredentials() {
    Settings own = settings();
    own.set("username", {"me"});
    own.set("password", {"hunter22"});
    const CloneAccess access = vcs_git::Git(own).clone(call_, {"a/b", "https://example.com/a/b.git/"});
    CPPUNIT_ASSERT_EQUAL(std::string("https://example.com/a/b.git"), access.url);
    CPPUNIT_ASSERT_EQUAL(std::string("me"), access.username);
    CPPUNIT_ASSERT_EQUAL(std::string("hunter22"), access.password);
  }

  void credentialsGoByEnvironmentAlone() {
    const CloneAccess access{"", "me", "hunter22", "", ""};
    const vcs_git::Url url{"https://example.com/a/b", "https"};
    const std::string configuration = vcs_git::configurationFor(url, access);
    CPPUNIT_ASSERT(configuration.find("[credential \"https://example.com\"]") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string::npos, configuration.find("hunter22"));
    // Asked as git asks, the helper answers for its host and for no other.
    std::ofstream(temp_.path + "/config") << configuration;
    const auto fill = [&](const std::string& host) {
      vcs_git::Program program{{"sh", "-c", "printf 'protocol=https\\nhost=" + host + "\\n\\n' | git credential fill"},
                               vcs_git::plainEnvironment(url),
                               1000};
      program.environment["GIT_CONFIG_GLOBAL"] = temp_.path + "/config";
      for (const auto& [name, value] : vcs_git::credentialEnvironment(url, access, "", ""))
        program.environment[name] = value;
      return vcs_git::runProgram(call_, program).out;
    };
    CPPUNIT_ASSERT(fill("example.com").find("username=me\npassword=hunter22\n") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(), fill("evil.example"));
  }

  void aCacheOfSomebodyElseIsRefused() {
    if (::geteuid() == 0) {
      fs::create_directories(temp_.path + "/theirs");
      CPPUNIT_ASSERT_EQUAL(0, ::chown((temp_.path + "/theirs").c_str(), 65534, 65534));
      Settings own = settings();
      own.set("cache", {temp_.path + "/theirs"});
      assertFails(Status::invalid, "belongs to another user", [&] { vcs_git::Git git(own); });
    }
    std::ofstream(temp_.path + "/file") << "x";
    Settings own = settings();
    own.set("cache", {temp_.path + "/file"});
    assertFails(Status::invalid, "is no folder", [&] { vcs_git::Git git(own); });
  }

  void programsEndWithTheirCall() {
    vcs_git::Program program{{"sh", "-c", "sleep 1000 & echo $!; wait"}, {{"PATH", "/usr/bin:/bin"}}, 1000};
    SimpleCall brief(std::chrono::milliseconds(100));
    assertFails(Status::cancelled, "longer than allowed", [&] { vcs_git::runProgram(brief, program); });
    program.command = {"sh", "-c", "head -c 5000 /dev/zero; ls /proc/self/fd | wc -l >&2; exit 3"};
    const vcs_git::Ended ended = vcs_git::runProgram(call_, program);
    CPPUNIT_ASSERT_EQUAL(3, ended.exit_code);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, ended.out.size());
    CPPUNIT_ASSERT(ended.truncated);
    CPPUNIT_ASSERT_EQUAL(std::string("4\n"), ended.err);  // 0, 1, 2 and ls's own
    program.command = {"no-such-program"};
    assertFails(Status::internal, "no-such-program", [&] { vcs_git::runProgram(call_, program); });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VcsGitTest);
