// The mirror that checkouts are made from: how it is filled, mended and removed.

#include <cppunit/extensions/HelperMacros.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <thread>

#include "host/git/mirror.hpp"
#include "tests/scenario/git/git_scene.hpp"

using namespace ocelot::git;
using ocelot::test::assertFails;
using ocelot::test::contents;
using ocelot::test::GitRepo;
using ocelot::test::shell;
namespace fs = std::filesystem;

namespace {

class GitMirrorTest : public ocelot::test::GitScene {
  CPPUNIT_TEST_SUITE(GitMirrorTest);
  CPPUNIT_TEST(anotherBuildCannotPoisonTheMirror);
  CPPUNIT_TEST(aCommitOnNoBranchIsFetched);
  CPPUNIT_TEST(aBranchThatIsRefusedHarmsNoOtherCommit);
  CPPUNIT_TEST(aMissingCommitIsNotFound);
  CPPUNIT_TEST(aTreeIsNoCommit);
  CPPUNIT_TEST(aDamagedMirrorIsMadeAnew);
  CPPUNIT_TEST(nothingIsFetchedWhenTheCommitIsThere);
  CPPUNIT_TEST(unusedMirrorsGo);
  CPPUNIT_TEST_SUITE_END();

 public:
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
};
CPPUNIT_TEST_SUITE_REGISTRATION(GitMirrorTest);

}  // namespace
