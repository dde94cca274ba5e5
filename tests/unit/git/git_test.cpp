// Mirrors, reading and checkouts, with real repositories behind a local path.

#include "host/git/git.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include "host/git/fence.hpp"
#include "host/git/mirror.hpp"
#include "host/git/session.hpp"
#include "tests/support/git_hostile.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/skip.hpp"
#include "tests/support/temp_folder.hpp"

using namespace ocelot::git;
using ocelot::test::GitRepo;
using ocelot::test::shell;
namespace fs = std::filesystem;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<ino_t> inodesBelow(const std::string& folder) {
  std::set<ino_t> inodes;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) == 0) inodes.insert(info.st_ino);
  }
  return inodes;
}

template <typename Doing>
void assertFails(ocelot::Status status, const std::string& says, Doing doing) {
  try {
    doing();
  } catch (const ocelot::Error& error) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), static_cast<int>(status), static_cast<int>(error.status()));
    CPPUNIT_ASSERT_MESSAGE(error.what(), std::string(error.what()).find(says) != std::string::npos);
    return;
  }
  CPPUNIT_FAIL("nothing was thrown; expected: " + says);
}

}  // namespace

class GitTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GitTest);
  CPPUNIT_TEST(gitIsThereAndNewEnough);
  CPPUNIT_TEST(headsAreListed);
  CPPUNIT_TEST(revisionsAreResolved);
  CPPUNIT_TEST(aFileIsReadAtItsCommit);
  CPPUNIT_TEST(whatIsNoRegularFileIsRefused);
  CPPUNIT_TEST(changesHaveMessagesAndFiles);
  CPPUNIT_TEST(changesSinceAnUnknownCommitAreIncomplete);
  CPPUNIT_TEST(aCheckoutIsAWorkingRepository);
  CPPUNIT_TEST(aShallowCheckoutHasItsDepth);
  CPPUNIT_TEST(aWholeCheckoutHasTheWholeHistory);
  CPPUNIT_TEST(noInodeIsSharedWithTheMirror);
  CPPUNIT_TEST(anotherBuildCannotPoisonTheMirror);
  CPPUNIT_TEST(hooksAndFiltersDoNotRun);
  CPPUNIT_TEST(aCommitOnNoBranchIsFetched);
  CPPUNIT_TEST(aBranchThatIsRefusedHarmsNoOtherCommit);
  CPPUNIT_TEST(aMissingCommitIsNotFound);
  CPPUNIT_TEST(aTreeIsNoCommit);
  CPPUNIT_TEST(aDamagedMirrorIsMadeAnew);
  CPPUNIT_TEST(nothingIsFetchedWhenTheCommitIsThere);
  CPPUNIT_TEST(hostileWordsRunNothing);
  CPPUNIT_TEST(shellNamesAreOnlyNames);
  CPPUNIT_TEST(submodulesComeFromTheirOwnMirrors);
  CPPUNIT_TEST(hostileSubmodulesAreRefused);
  CPPUNIT_TEST(aFailedCheckoutLeavesNothing);
  CPPUNIT_TEST(repositoriesOfSha256Work);
  CPPUNIT_TEST(manyCheckoutsAtOnceAgree);
  CPPUNIT_TEST(gitCannotWriteElsewhere);
  CPPUNIT_TEST(unusedMirrorsGo);
  CPPUNIT_TEST(failuresSayWhatTheyMean);
  CPPUNIT_TEST_SUITE_END();

  ocelot::test::TempFolder temp_;
  ocelot::SimpleCall call_{std::chrono::seconds(120)};
  std::string canary_ = temp_.path + "/canary";

  Settings settings() { return {temp_.path + "/mirrors", {temp_.path}, false, std::chrono::minutes(1), "git"}; }
  static ocelot::CloneAccess access(const GitRepo& repo) { return {repo.path, "", "", "", ""}; }

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

  void aCheckoutIsAWorkingRepository() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("src/run.sh", "#!/bin/sh\n");
    fs::permissions(repo.path + "/src/run.sh", fs::perms::owner_all);
    fs::create_symlink("src/run.sh", repo.path + "/run");
    repo.commit("one");
    repo.git("tag -a v1.0 -m v1.0");
    const std::string commit = repo.commit("two");
    CloneOptions options;
    options.branch = "main";
    options.tags = true;
    GitRepo work;
    work.path = temp_.path + "/work";
    Git(settings()).checkout(call_, access(repo), commit, work.path, options);
    CPPUNIT_ASSERT_EQUAL(std::string("#!/bin/sh\n"), contents(work.path + "/run"));
    CPPUNIT_ASSERT((fs::status(work.path + "/src/run.sh").permissions() & fs::perms::owner_exec) != fs::perms::none);
    CPPUNIT_ASSERT_EQUAL(std::string(), work.git("status --porcelain"));
    CPPUNIT_ASSERT_EQUAL(std::string("main"), work.git("branch --show-current"));
    CPPUNIT_ASSERT_EQUAL(commit, work.git("rev-parse HEAD origin/main | sort -u"));
    CPPUNIT_ASSERT_EQUAL(std::string("two\none"), work.git("log --format=%s"));
    CPPUNIT_ASSERT_EQUAL("v1.0-1-g" + work.git("rev-parse --short HEAD"), work.git("describe"));
    CPPUNIT_ASSERT_EQUAL(repo.path, work.git("remote get-url origin"));
    work.git("fsck --strict");
  }

  void aShallowCheckoutHasItsDepth() {
    const GitRepo repo(temp_.path + "/repo");
    std::string commit;
    for (int i = 0; i < 10; ++i) commit = repo.commit("commit " + std::to_string(i));
    repo.git("checkout -q -b side HEAD~5");
    repo.commit("side");
    repo.git("checkout -q main");
    repo.git("merge -q --no-ff -m merged side");
    commit = repo.git("rev-parse HEAD");
    Git git(settings());
    for (const int depth : {1, 2, 3, 50}) {
      CloneOptions options;
      options.depth = depth;
      GitRepo work;
      work.path = temp_.path + "/work" + std::to_string(depth);
      git.checkout(call_, access(repo), commit, work.path, options);
      // As git itself cuts it.
      GitRepo same;
      same.path = temp_.path + "/same" + std::to_string(depth);
      repo.git("clone -q --depth " + std::to_string(depth) + " 'file://" + repo.path + "' '" + same.path + "'");
      CPPUNIT_ASSERT_EQUAL(same.git("log --format=%H"), work.git("log --format=%H"));
      work.git("fsck --strict");
      CPPUNIT_ASSERT_EQUAL(std::string(), work.git("status --porcelain"));
    }
  }

  void aWholeCheckoutHasTheWholeHistory() {
    const GitRepo repo(temp_.path + "/repo");
    std::string commit;
    for (int i = 0; i < 20; ++i) commit = repo.commit("commit " + std::to_string(i));
    CloneOptions options;
    options.depth = 0;
    GitRepo work;
    work.path = temp_.path + "/work";
    Git(settings()).checkout(call_, access(repo), commit, work.path, options);
    CPPUNIT_ASSERT_EQUAL(std::string("20"), work.git("rev-list --count HEAD"));
    work.git("fsck --strict");
  }

  void noInodeIsSharedWithTheMirror() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string commit = repo.commit();
    Git git(settings());
    for (const int depth : {0, 1}) {
      CloneOptions options;
      options.depth = depth;
      const std::string work = temp_.path + "/work" + std::to_string(depth);
      git.checkout(call_, access(repo), commit, work, options);
      std::set<ino_t> others = inodesBelow(temp_.path + "/mirrors");
      others.merge(inodesBelow(repo.path));
      for (const ino_t inode : inodesBelow(work)) CPPUNIT_ASSERT_EQUAL(std::size_t{0}, others.count(inode));
      CPPUNIT_ASSERT(!fs::exists(work + "/.git/objects/info/alternates"));
    }
  }

  void anotherBuildCannotPoisonTheMirror() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "good");
    const std::string commit = repo.commit();
    Git git(settings());
    git.checkout(call_, access(repo), commit, temp_.path + "/first");
    // What a stage that is root can do to all that it sees.
    for (const auto& entry : fs::recursive_directory_iterator(temp_.path + "/first")) {
      if (!entry.is_regular_file()) continue;
      fs::permissions(entry.path(), fs::perms::owner_all);
      std::ofstream(entry.path(), std::ios::trunc) << "evil";
    }
    git.checkout(call_, access(repo), commit, temp_.path + "/second");
    CPPUNIT_ASSERT_EQUAL(std::string("good"), contents(temp_.path + "/second/a"));
  }

  void hooksAndFiltersDoNotRun() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write(".gitattributes",
               "* filter=evil diff=evil merge=evil text ident working-tree-encoding=UTF-8\n*.bin filter=lfs diff=lfs "
               "merge=lfs -text\n");
    repo.write("a", "1");
    repo.write("b.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    const std::string commit = repo.commit();
    repo.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch '" + canary_ + "'\n");
    repo.write(".git/hooks/post-upload-pack", "#!/bin/sh\ntouch '" + canary_ + "'\n");
    shell("chmod +x '" + repo.path + "'/.git/hooks/*");
    repo.git("config uploadpack.packObjectsHook 'touch " + canary_ + "; exec'");
    repo.git("config core.fsmonitor 'touch " + canary_ + "'");
    repo.git("config filter.evil.smudge 'touch " + canary_ + "'");
    Git(settings()).checkout(call_, access(repo), commit, temp_.path + "/work");
    CPPUNIT_ASSERT(!fs::exists(canary_));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), contents(temp_.path + "/work/a"));
    CPPUNIT_ASSERT(contents(temp_.path + "/work/b.bin").find("oid sha256:00") != std::string::npos);
    CloneOptions lfs;
    lfs.lfs = true;
    assertFails(ocelot::Status::unsupported, "clone.lfs",
                [&] { Git(settings()).checkout(call_, access(repo), commit, temp_.path + "/lfs", lfs); });
  }

  void aCommitOnNoBranchIsFetched() {
    const GitRepo repo(temp_.path + "/repo");
    repo.commit("one");
    const std::string lost = repo.commit("lost");
    repo.git("reset -q --hard HEAD~1");
    Git git(settings());
    git.fetch(call_, access(repo), lost);
    git.checkout(call_, access(repo), lost, temp_.path + "/work");
    CPPUNIT_ASSERT(fs::exists(temp_.path + "/work/.git"));
  }

  void aBranchThatIsRefusedHarmsNoOtherCommit() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    repo.commit("first");
    const std::string bad = repo.malformed("bad");
    const std::string good = repo.commit("second");
    Git git(settings());
    git.checkout(call_, access(repo), good, temp_.path + "/work");
    CPPUNIT_ASSERT_EQUAL(std::string("1"), contents(temp_.path + "/work/a"));
    assertFails(ocelot::Status::invalid, "duplicate file entries", [&] { git.fetch(call_, access(repo), bad); });
  }

  void aMissingCommitIsNotFound() {
    const GitRepo repo(temp_.path + "/repo");
    repo.commit();
    Git git(settings());
    assertFails(ocelot::Status::not_found, "there is no such commit",
                [&] { git.fetch(call_, access(repo), std::string(40, 'a')); });
    assertFails(ocelot::Status::not_found, "No such file", [&] {
      git.fetch(call_, {temp_.path + "/none", "", "", "", ""}, std::string(40, 'a'));
    });
    fs::create_directories(temp_.path + "/empty");
    assertFails(ocelot::Status::not_found, "does not appear to be a git repository", [&] {
      git.fetch(call_, {temp_.path + "/empty", "", "", "", ""}, std::string(40, 'a'));
    });
  }

  void aTreeIsNoCommit() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    repo.commit();
    const std::string tree = repo.git("rev-parse HEAD^{tree}");
    assertFails(ocelot::Status::not_found, "that is no commit",
                [&] { Git(settings()).fetch(call_, access(repo), tree); });
  }

  void aDamagedMirrorIsMadeAnew() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", std::string(100000, 'x') + "1");
    const std::string commit = repo.commit();
    Git git(settings());
    git.fetch(call_, access(repo), commit);
    int round = 0;
    for (const char* damage : {"truncate -s 100 */objects/pack/*.pack", "rm -f */objects/pack/*.pack", "rm -f */HEAD",
                               "echo x > $(ls -d *.git)/config",
                               "for f in */objects/pack/*.pack; do chmod u+w $f; printf 'garbage garbage garbage' | dd "
                               "of=$f bs=1 seek=60 conv=notrunc 2>/dev/null; done"}) {
      shell("cd '" + temp_.path + "/mirrors' && { " + damage + "; }");
      const std::string work = temp_.path + "/work" + std::to_string(++round);
      git.checkout(call_, access(repo), commit, work);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(damage, std::size_t{100001}, contents(work + "/a").size());
    }
  }

  void nothingIsFetchedWhenTheCommitIsThere() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    Git git(settings());
    std::string told;
    const Progress progress = [&](std::string_view text) { (told += text) += '\n'; };
    git.checkout(call_, access(repo), commit, temp_.path + "/one", {}, progress);
    CPPUNIT_ASSERT(told.find("fetching " + repo.path) == 0);
    told.clear();
    fs::rename(repo.path + "/.git", repo.path + "/gone");  // the remote is away
    git.checkout(call_, access(repo), commit, temp_.path + "/two", {}, progress);
    CPPUNIT_ASSERT_EQUAL(std::string(), told);
  }

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

  void submodulesComeFromTheirOwnMirrors() {
    const GitRepo library(temp_.path + "/library");
    library.write("lib.c", "int x;\n");
    library.commit();
    const GitRepo repo(temp_.path + "/repo");
    repo.write("main.c", "\n");
    repo.git("submodule --quiet add ../library deps/library");
    const std::string commit = repo.commit();
    Git git(settings());
    git.checkout(call_, access(repo), commit, temp_.path + "/without");
    CPPUNIT_ASSERT(fs::is_empty(temp_.path + "/without/deps/library"));
    CloneOptions options;
    options.submodules = true;
    git.checkout(call_, access(repo), commit, temp_.path + "/with", options);
    CPPUNIT_ASSERT_EQUAL(std::string("int x;\n"), contents(temp_.path + "/with/deps/library/lib.c"));
  }

  void hostileSubmodulesAreRefused() {
    const GitRepo library(temp_.path + "/library");
    const std::string inner = library.commit();
    int round = 0;
    const auto attempt = [&](const std::string& path, const std::string& url, const std::string& link) {
      const std::string number = std::to_string(++round);
      const GitRepo repo(temp_.path + "/repo" + number);
      repo.write(".gitmodules", "[submodule \"x\"]\n\tpath = \"" + path + "\"\n\turl = \"" + url + "\"\n");
      if (!link.empty()) fs::create_directory_symlink(temp_.path, repo.path + "/" + link);
      repo.git("add -A");
      repo.git("update-index --add --cacheinfo 160000," + inner + ",module");
      repo.git("commit -q -m x");
      CloneOptions options;
      options.submodules = true;
      Git(settings()).checkout(call_, access(repo), repo.git("rev-parse HEAD"), temp_.path + "/work" + number, options);
    };
    for (const char* url : {"ext::sh -c touch% CANARY", "--upload-pack=touch CANARY", "file:///etc", "/etc",
                            "http://host/x", "../../../../../../../x"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(url, attempt("module", ocelot::test::withCanary({url}, canary_)[0], ""),
                                   ocelot::Error);
    }
    CPPUNIT_ASSERT_THROW(attempt("../module", "../library", ""), ocelot::Error);
    CPPUNIT_ASSERT_THROW(attempt("module\\r", "../library\\u0001", ""), ocelot::Error);
    attempt("elsewhere", "../library", "");  // .gitmodules names what the tree does not have: nothing to do
    CPPUNIT_ASSERT(!fs::exists(canary_));
  }

  void aFailedCheckoutLeavesNothing() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    fs::create_directories(temp_.path + "/full/x");
    assertFails(ocelot::Status::invalid, "is not empty",
                [&] { Git(settings()).checkout(call_, access(repo), commit, temp_.path + "/full"); });
    CPPUNIT_ASSERT(fs::exists(temp_.path + "/full/x"));
    ocelot::SimpleCall over(std::chrono::milliseconds(0));
    assertFails(ocelot::Status::cancelled, "",
                [&] { Git(settings()).checkout(over, access(repo), commit, temp_.path + "/work"); });
    CPPUNIT_ASSERT(!fs::exists(temp_.path + "/work"));
  }

  void repositoriesOfSha256Work() {
    const GitRepo repo(temp_.path + "/repo", "--object-format=sha256");
    repo.write("a", "1");
    const std::string commit = repo.commit();
    CPPUNIT_ASSERT_EQUAL(std::size_t{64}, commit.size());
    GitRepo work;
    work.path = temp_.path + "/work";
    Git(settings()).checkout(call_, access(repo), commit, work.path);
    CPPUNIT_ASSERT_EQUAL(commit, work.git("rev-parse HEAD"));
  }

  void manyCheckoutsAtOnceAgree() {
    const GitRepo repo(temp_.path + "/repo");
    repo.write("a", "1");
    const std::string first = repo.commit();
    repo.write("a", "2");
    const std::string second = repo.commit();
    Git git(settings());
    std::vector<std::thread> threads;
    std::vector<std::string> failures(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        ocelot::SimpleCall call(std::chrono::seconds(60));
        try {
          git.checkout(call, access(repo), i % 2 == 0 ? first : second, temp_.path + "/work" + std::to_string(i));
        } catch (const std::exception& error) {
          failures[static_cast<std::size_t>(i)] = error.what();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int i = 0; i < 8; ++i) {
      CPPUNIT_ASSERT_EQUAL(std::string(), failures[static_cast<std::size_t>(i)]);
      CPPUNIT_ASSERT_EQUAL(std::string(i % 2 == 0 ? "1" : "2"),
                           contents(temp_.path + "/work" + std::to_string(i) + "/a"));
    }
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

  void unusedMirrorsGo() {
    const GitRepo repo(temp_.path + "/repo");
    const std::string commit = repo.commit();
    Git git(settings());
    git.fetch(call_, access(repo), commit);
    const auto mirrors = [&] { return shell("ls -d '" + temp_.path + "'/mirrors/*.git 2>/dev/null | wc -l"); };
    git.maintain(call_, std::chrono::hours(1));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), mirrors());
    const std::string lock = shell("ls '" + temp_.path + "'/mirrors/*.lock");
    {
      const MirrorLock used(call_, lock, MirrorLock::Mode::shared);
      git.maintain(call_, std::chrono::hours(0));
      CPPUNIT_ASSERT_EQUAL_MESSAGE("somebody reads it", std::string("1"), mirrors());
    }
    // Whoever waited while it was removed holds the lock of the next one, and nobody else.
    auto held = MirrorLock::ifFree(lock);
    std::unique_ptr<MirrorLock> waited;
    std::thread waiter([&] { waited = std::make_unique<MirrorLock>(call_, lock, MirrorLock::Mode::exclusive); });
    while (shell("ls -l /proc/" + std::to_string(::getpid()) + "/fd | grep -c '" + lock + "'") != "2") ::sched_yield();
    fs::remove(lock);
    held.reset();
    waiter.join();
    CPPUNIT_ASSERT_MESSAGE("two may hold it", !MirrorLock::ifFree(lock));
    waited.reset();

    git.maintain(call_, std::chrono::hours(0));
    CPPUNIT_ASSERT_EQUAL(std::string("0"), mirrors());
    CPPUNIT_ASSERT_EQUAL(std::string("0"), shell("ls -A '" + temp_.path + "/mirrors' | wc -l"));
    git.fetch(call_, access(repo), commit);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), mirrors());
  }

  void failuresSayWhatTheyMean() {
    const Settings own = settings();
    const Session session(own, {"https://example.com/x", "me", "hunter22", "", ""},
                          checkUrl("https://example.com/x", {}));
    GitCommand git;
    git.network = true;
    git.doing = "fetch";
    const auto status = [&](const char* err) {
      ocelot::process::Result result;
      result.exit_code = 128;
      result.err = err;
      const ocelot::Error error = session.failure(git, result);
      CPPUNIT_ASSERT_EQUAL(std::string::npos, std::string(error.what()).find("hunter22"));
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, std::string(error.what()).find("fetch https://example.com/x: "));
      return error.status();
    };
    CPPUNIT_ASSERT(status("fatal: Authentication failed for 'https://me:hunter22@example.com/x'") ==
                   ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("fatal: could not read Username for 'https://example.com': terminal prompts disabled") ==
                   ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.") ==
                   ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("Host key verification failed.") == ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("remote: Repository not found.\nfatal: repository 'https://example.com/x/' not found") ==
                   ocelot::Status::not_found);
    CPPUNIT_ASSERT(status("fatal: unable to access 'https://example.com/x/': Could not resolve host: example.com") ==
                   ocelot::Status::unavailable);
    CPPUNIT_ASSERT(status("error: RPC failed; HTTP 502") == ocelot::Status::unavailable);
    CPPUNIT_ASSERT(status("") == ocelot::Status::unavailable);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GitTest);
