// What only a store in a folder promises: many processes at once, kill -9, files beside the database.

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "host/store/sqlite/folder.hpp"
#include "tests/contract/support/contract.hpp"

extern char** environ;

using namespace ocelot;
using namespace ocelot::test;
namespace fs = std::filesystem;

namespace {

// A hammer at work: its standard output is read here, its errors go to a file.
class Hammer {
 public:
  Hammer(const std::string& folder, int threads, int builds, const std::string& errors) {
    int ends[2];
    CPPUNIT_ASSERT_EQUAL(0, ::pipe2(ends, O_CLOEXEC));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const std::string arguments[] = {OCELOT_HAMMER, folder, std::to_string(threads), std::to_string(builds)};
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const int error = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
    CPPUNIT_ASSERT_EQUAL(0, error);
  }
  ~Hammer() {
    if (pid_ > 0) kill();
    ::close(output_);
  }
  // Blocks until that many ids were accepted, or the hammer ended.
  void readIds(std::size_t at_least) {
    char buffer[4096];
    while (ids().size() < at_least) {
      const ssize_t size = ::read(output_, buffer, sizeof buffer);
      if (size <= 0) return;
      text_.append(buffer, static_cast<std::size_t>(size));
    }
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }
  // Whole lines only: the last may be torn by a kill.
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (std::size_t begin = 0, end = 0; (end = text_.find('\n', begin)) != std::string::npos; begin = end + 1)
      out.push_back(text_.substr(begin, end - begin));
    return out;
  }

 private:
  pid_t pid_ = 0;
  int output_ = -1;
  std::string text_;
};

std::string contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

mode_t modeOf(const std::string& path) {
  struct stat status {};
  CPPUNIT_ASSERT_EQUAL_MESSAGE(path, 0, ::stat(path.c_str(), &status));
  return status.st_mode & 07777;
}

}  // namespace

class SqliteStoreTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SqliteStoreTest);
  CPPUNIT_TEST(manyProcessesWriteAndNobodyIsToldThatItIsLocked);
  CPPUNIT_TEST(aKilledProcessLosesNothingThatItWasToldIsAccepted);
  CPPUNIT_TEST(theFolderAndItsFilesAreForTheirOwnerAlone);
  CPPUNIT_TEST(aFolderThatHoldsOtherThingsKeepsItsMode);
  CPPUNIT_TEST(bytesBeyondTheStoredSizeAreCutByTheNextAppend);
  CPPUNIT_TEST(aSegmentThatLostItsTailSaysHowFarItGoes);
  CPPUNIT_TEST(aShortLogMakesNoFile);
  CPPUNIT_TEST(prunedLogsLeaveNoFile);
  CPPUNIT_TEST(networkFileSystemsAreKnownByTheirMagic);
  CPPUNIT_TEST(aPlaceThatIsNoFolderIsRefused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void manyProcessesWriteAndNobodyIsToldThatItIsLocked() {
    TemporaryFolder folder;
    const std::string errors = folder.path() + "/errors";
    std::vector<std::unique_ptr<Hammer>> hammers;
    for (int i = 0; i < 8; ++i) hammers.push_back(std::make_unique<Hammer>(folder.path() + "/store", 4, 25, errors));
    std::set<std::string> ids;
    for (auto& hammer : hammers) {
      hammer->readIds(SIZE_MAX);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(contents(errors), 0, hammer->wait());
      for (const auto& id : hammer->ids()) ids.insert(id);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{8 * 4 * 25}, ids.size());
    const auto store = open(folder.path() + "/store");
    for (const auto& id : ids) CPPUNIT_ASSERT(store->findBuild(id)->state == model::BuildState::passed);
  }

  void aKilledProcessLosesNothingThatItWasToldIsAccepted() {
    TemporaryFolder folder;
    const std::string path = folder.path() + "/store";
    const auto store = open(path);
    std::size_t expected = 0;
    for (std::size_t round = 0; round < 15; ++round) {
      Hammer hammer(path, 3, 0, folder.path() + "/errors");
      hammer.readIds(3 + round * 2);
      hammer.kill();
      hammer.readIds(SIZE_MAX);  // what was still in the pipe
      const auto ids = hammer.ids();
      CPPUNIT_ASSERT_MESSAGE(contents(folder.path() + "/errors"), !ids.empty());
      expected += ids.size();
      for (const auto& id : ids) CPPUNIT_ASSERT_MESSAGE("accepted and lost: " + id, store->findBuild(id).has_value());
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), contents(folder.path() + "/errors"));
    const auto raw = sqliteEngineAt(path);
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), raw->text("PRAGMA integrity_check"));
    CPPUNIT_ASSERT(std::stoul(raw->text("SELECT count(*) FROM builds")) >= expected);
    // Whatever was running is still claimed by the dead: it comes back by its lease, as after any loss of a worker.
    CPPUNIT_ASSERT_EQUAL(std::string("0"),
                         raw->text("SELECT count(*) FROM builds WHERE state = 'running' AND claim_id = ''"));
    CPPUNIT_ASSERT_EQUAL(std::string("0"), raw->text("SELECT count(*) FROM builds b WHERE state = 'passed' AND NOT "
                                                     "EXISTS (SELECT 1 FROM notices n WHERE n.build_id = b.id)"));
  }

  void theFolderAndItsFilesAreForTheirOwnerAlone() {
    TemporaryFolder folder;
    const std::string path = folder.path() + "/a/b/store";
    const auto store = open(path);
    const auto claim = runningOn(*store);
    store->appendLog(claim, 0, "x");
    CPPUNIT_ASSERT_EQUAL(mode_t{0700}, modeOf(path));
    for (const auto& entry : fs::recursive_directory_iterator(path))
      CPPUNIT_ASSERT_EQUAL_MESSAGE(entry.path().string(), mode_t{entry.is_directory() ? 0700u : 0600u},
                                   modeOf(entry.path().string()));
  }

  void aFolderThatHoldsOtherThingsKeepsItsMode() {
    TemporaryFolder folder;
    const std::string empty = folder.path() + "/empty", full = folder.path() + "/full";
    for (const auto& path : {empty, full}) {
      fs::create_directory(path);
      ::chmod(path.c_str(), 0755);
    }
    std::ofstream(full + "/somebody's") << "file";
    open(empty);
    open(full);
    CPPUNIT_ASSERT_EQUAL(mode_t{0700}, modeOf(empty));
    CPPUNIT_ASSERT_EQUAL(mode_t{0755}, modeOf(full));
  }

  void bytesBeyondTheStoredSizeAreCutByTheNextAppend() {
    TemporaryFolder folder;
    const auto store = open(folder.path());
    const auto claim = runningOn(*store);
    store->appendLog(claim, 0, "confirmed ");
    // As a process leaves it that was killed between its write and its commit.
    std::ofstream(segment(folder.path()), std::ios::binary | std::ios::app) << "never confirmed, and long";
    CPPUNIT_ASSERT_EQUAL(std::string("confirmed "), store->readLog(claim.build_id, 0, 100));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{13}, store->appendLog(claim, 10, "too").value());
    CPPUNIT_ASSERT_EQUAL(std::string("confirmed too"), contents(segment(folder.path())));
  }

  void aSegmentThatLostItsTailSaysHowFarItGoes() {
    TemporaryFolder folder;
    const auto store = open(folder.path());
    const auto claim = runningOn(*store);
    store->appendLog(claim, 0, "0123456789");
    fs::resize_file(segment(folder.path()), 4);  // as after a power loss
    CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, store->appendLog(claim, 10, "x").value());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, store->appendLog(claim, 4, "456789").value());
    CPPUNIT_ASSERT_EQUAL(std::string("0123456789"), store->readLog(claim.build_id, 0, 100));
  }

  void aShortLogMakesNoFile() {
    TemporaryFolder folder;
    const auto store = open(folder.path());
    auto end = Ground::ending(runningOn(*store));
    end.tail = "short";
    CPPUNIT_ASSERT(store->finish(end));
    CPPUNIT_ASSERT(!fs::exists(folder.path() + "/logs"));
    CPPUNIT_ASSERT_EQUAL(std::string("short"), store->readLog(end.claim.build_id, 0, 100));
  }

  void prunedLogsLeaveNoFile() {
    TemporaryFolder folder;
    const auto store = open(folder.path());
    for (int i = 0; i < 3; ++i) {
      const auto claim = runningOn(*store);
      store->appendLog(claim, 0, "x");
      CPPUNIT_ASSERT(store->finish(Ground::ending(claim, model::BuildState::failed)));
    }
    CPPUNIT_ASSERT_EQUAL(2, store->prune({0, 1}, 10));
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path() + "/logs"))
      files += entry.is_regular_file() ? 1 : 0;
    CPPUNIT_ASSERT_EQUAL(1, files);
  }

  void networkFileSystemsAreKnownByTheirMagic() {
    CPPUNIT_ASSERT(store::networkFileSystem(0x6969) == "nfs");
    CPPUNIT_ASSERT(store::networkFileSystem(0xFF534D42) == "cifs");
    CPPUNIT_ASSERT(store::networkFileSystem(0x65735546) == "fuse");
    for (const unsigned long local : {0xEF53UL, 0x58465342UL, 0x9123683EUL, 0x01021994UL, 0x794C7630UL})
      CPPUNIT_ASSERT(!store::networkFileSystem(local));
  }

  void aPlaceThatIsNoFolderIsRefused() {
    TemporaryFolder folder;
    std::ofstream(folder.path() + "/file") << "x";
    CPPUNIT_ASSERT_THROW(open(folder.path() + "/file"), std::invalid_argument);
    CPPUNIT_ASSERT_THROW(open(folder.path() + "/file/below"), store::Unavailable);
    CPPUNIT_ASSERT_THROW(open(""), std::invalid_argument);
  }

 private:
  static std::unique_ptr<store::Store> open(const std::string& folder) {
    store::StoreSettings settings;
    settings.path = folder;
    auto store = store::open(settings);
    store->migrate();
    return store;
  }
  static store::Claim runningOn(store::Store& store) {
    store.accept(Ground::someBuild(), "");
    return store.claim("worker-1", {}, 30'000)->claim;
  }
  static std::string segment(const std::string& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder + "/logs"))
      if (entry.is_regular_file()) return entry.path().string();
    CPPUNIT_FAIL("there is no segment");
    return {};
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SqliteStoreTest);
