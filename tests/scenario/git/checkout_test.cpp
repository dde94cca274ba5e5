// What a build gets: a working repository of its own.

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <set>
#include <thread>
#include <vector>

#include "tests/scenario/git/git_scene.hpp"

using namespace ocelot::git;
using ocelot::test::assertFails;
using ocelot::test::contents;
using ocelot::test::GitRepo;
using ocelot::test::shell;
namespace fs = std::filesystem;

namespace {

std::set<ino_t> inodesBelow(const std::string& folder) {
  std::set<ino_t> inodes;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) == 0) inodes.insert(info.st_ino);
  }
  return inodes;
}

class GitCheckoutTest : public ocelot::test::GitScene {
  CPPUNIT_TEST_SUITE(GitCheckoutTest);
  CPPUNIT_TEST(aCheckoutIsAWorkingRepository);
  CPPUNIT_TEST(aShallowCheckoutHasItsDepth);
  CPPUNIT_TEST(aWholeCheckoutHasTheWholeHistory);
  CPPUNIT_TEST(noInodeIsSharedWithTheMirror);
  CPPUNIT_TEST(hooksAndFiltersDoNotRun);
  CPPUNIT_TEST(aFailedCheckoutLeavesNothing);
  CPPUNIT_TEST(repositoriesOfSha256Work);
  CPPUNIT_TEST(manyCheckoutsAtOnceAgree);
  CPPUNIT_TEST_SUITE_END();

 public:
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
};
CPPUNIT_TEST_SUITE_REGISTRATION(GitCheckoutTest);

}  // namespace
