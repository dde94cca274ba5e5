#include "host/store/backup.hpp"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "host/store/archive.hpp"
#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
namespace fs = std::filesystem;

namespace {

std::string contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

class BackupTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BackupTest);
  CPPUNIT_TEST(aBackupBringsEverythingBack);
  CPPUNIT_TEST(aBackupIsTakenWhileBuildsRun);
  CPPUNIT_TEST(restoredRunningBuildsComeBackByTheirLease);
  CPPUNIT_TEST(nothingIsOverwrittenWithoutForce);
  CPPUNIT_TEST(aStoreInUseIsNotRestoredInto);
  CPPUNIT_TEST(aDamagedOrForeignFileChangesNothing);
  CPPUNIT_TEST(aBitThatFlippedInWhatIsKeptIsNoticed);
  CPPUNIT_TEST(aNewerSchemaIsRefused);
  CPPUNIT_TEST(onlySqliteIsBackedUpHere);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aBackupBringsEverythingBack() {
    std::string long_id, short_id;
    {
      const auto store = open(place("a"));
      const auto claim = runningOn(*store);
      long_id = claim.build_id;
      store->appendLog(claim, 0, std::string(100'000, 'x'));
      store->finish(Ground::ending(claim));
      auto end = Ground::ending(runningOn(*store));
      end.tail = "short";
      short_id = end.claim.build_id;
      store->finish(end);
      store->putBlob("secret", "sealed");
    }
    write(place("key"), "the key");
    const auto made = store::backup(settings(place("a")), place("backup.tar"), {{"key", place("key")}});
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, made.builds);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, made.log_files);
    struct stat status {};
    CPPUNIT_ASSERT_EQUAL(0, ::stat(place("backup.tar").c_str(), &status));
    CPPUNIT_ASSERT_EQUAL(0600u, status.st_mode & 07777u);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{status.st_size}, made.bytes);

    const auto restored = store::restore(settings(place("b")), place("backup.tar"), {{"key", place("etc/key")}}, false);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, restored.builds);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, restored.log_files);
    CPPUNIT_ASSERT_EQUAL(std::string("the key"), contents(place("etc/key")));
    const auto store = open(place("b"));
    CPPUNIT_ASSERT(store->readLog(long_id, 0, 200'000) == std::string(100'000, 'x'));
    CPPUNIT_ASSERT_EQUAL(std::string("short"), store->readLog(short_id, 0, 100));
    CPPUNIT_ASSERT(store->getBlob("secret") == "sealed");
    for (const auto& entry : fs::directory_iterator(place("b")))
      CPPUNIT_ASSERT_MESSAGE("left behind: " + entry.path().string(),
                             entry.path().filename().string().find("restore") == std::string::npos);
  }

  void aBackupIsTakenWhileBuildsRun() {
    const auto store = open(place("a"));
    std::atomic<bool> stop{false};
    std::vector<std::string> faults;
    std::thread busy([&] {
      try {
        while (!stop) {
          const auto claim = runningOn(*store);
          store->appendLog(claim, 0, std::string(1000, 'l'));
          store->appendLog(claim, 1000, std::string(1000, 'm'));
          store->finish(Ground::ending(claim));
        }
      } catch (const std::exception& error) {
        faults.push_back(error.what());
      }
    });
    for (int i = 0; i < 5; ++i) {
      const std::string name = std::to_string(i);
      const auto made = store::backup(settings(place("a")), place("backup" + name), {});
      store::restore(settings(place("r" + name)), place("backup" + name), {}, false);
      const auto restored = open(place("r" + name));
      store::BuildFilter all;
      all.limit = 500;
      for (const auto& build : restored->builds(all))
        CPPUNIT_ASSERT_EQUAL(static_cast<std::size_t>(build.log_bytes), restored->readLog(build.id, 0, 10'000).size());
      CPPUNIT_ASSERT(made.log_files <= made.builds);
    }
    stop = true;
    busy.join();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(faults.empty() ? "" : faults.front(), std::size_t{0}, faults.size());
  }

  void restoredRunningBuildsComeBackByTheirLease() {
    std::string id;
    {
      const auto store = open(place("a"));
      store->accept(Ground::someBuild(), "");
      id = store->claim("worker-1", {}, 1)->claim.build_id;
    }
    store::backup(settings(place("a")), place("backup"), {});
    store::restore(settings(place("b")), place("backup"), {}, false);
    const auto store = open(place("b"));
    waitUntil("the lease is over", [&] { return store->expiredLeases().size() == 1; });
    CPPUNIT_ASSERT(store->endLease(store->expiredLeases().front(), 3));
    CPPUNIT_ASSERT_EQUAL(id, store->claim("worker-2", {}, 1000)->claim.build_id);
  }

  void nothingIsOverwrittenWithoutForce() {
    const std::string old_id = open(place("a"))->accept(Ground::someBuild(), "").id;
    store::backup(settings(place("a")), place("backup"), {});
    CPPUNIT_ASSERT_THROW(store::backup(settings(place("a")), place("backup"), {}), store::Conflict);
    const std::string new_id = open(place("a"))->accept(Ground::someBuild(), "").id;
    CPPUNIT_ASSERT_THROW(store::restore(settings(place("a")), place("backup"), {}, false), store::Conflict);
    CPPUNIT_ASSERT(open(place("a"))->findBuild(new_id));
    store::restore(settings(place("a")), place("backup"), {}, true);
    CPPUNIT_ASSERT(open(place("a"))->findBuild(old_id));
    CPPUNIT_ASSERT(!open(place("a"))->findBuild(new_id));
    bool aside = false;
    for (const auto& entry : fs::directory_iterator(place("a")))
      aside = aside || fs::exists(entry.path() / "ocelot.db");
    CPPUNIT_ASSERT_MESSAGE("what was there is kept", aside);
  }

  void aStoreInUseIsNotRestoredInto() {
    const auto store = open(place("a"));
    const std::string id = store->accept(Ground::someBuild(), "").id;
    store::backup(settings(place("a")), place("backup"), {});
    CPPUNIT_ASSERT_THROW(store::restore(settings(place("a")), place("backup"), {}, true), store::Conflict);
    CPPUNIT_ASSERT(store->findBuild(id));
  }

  void aDamagedOrForeignFileChangesNothing() {
    open(place("a"))->accept(Ground::someBuild(), "");
    store::backup(settings(place("a")), place("backup"), {});
    const std::string whole = contents(place("backup"));
    write(place("cut"), whole.substr(0, whole.size() / 2));
    write(place("text"), "this is no tar at all\n");
    write(place("empty"), "");
    {
      store::ArchiveWriter escaping(place("escaping"));
      escaping.add("logs/../../../outside", "x");
      escaping.close();
      store::ArchiveWriter strange(place("strange"));
      strange.add("ocelot-backup", "format 1\n");
      strange.add("bin/sh", "x");
      strange.close();
      store::ArchiveWriter garbage(place("garbage"));
      garbage.add("ocelot-backup", "format 1\n");
      garbage.add("ocelot.db", "not a database, however long it may be, is refused");
      garbage.close();
    }
    for (const char* name : {"cut", "text", "empty", "escaping", "strange", "garbage", "missing"}) {
      bool refused = false;
      try {
        store::restore(settings(place("b")), place(name), {}, true);
      } catch (const std::exception&) {
        refused = true;
      }
      CPPUNIT_ASSERT_MESSAGE(name, refused);
      CPPUNIT_ASSERT_MESSAGE(name, !fs::exists(place("b") + "/ocelot.db"));
    }
    CPPUNIT_ASSERT(!fs::exists(place("outside")));
  }

  // Anywhere: what is not noticed was in no file's bytes, which are the same then.
  void aBitThatFlippedInWhatIsKeptIsNoticed() {
    {
      const auto store = open(place("a"));
      const auto claim = runningOn(*store);
      store->appendLog(claim, 0, std::string(100'000, 'x'));
      store->finish(Ground::ending(claim));
    }
    store::backup(settings(place("a")), place("backup"), {});
    store::restore(settings(place("good")), place("backup"), {}, false);
    const std::string database = contents(place("good") + "/ocelot.db"), whole = contents(place("backup"));
    int refused = 0;
    for (std::size_t at = 0; at < whole.size(); at += whole.size() / 40 + 1) {
      std::string bad = whole;
      bad[at] = static_cast<char>(bad[at] ^ 4);
      write(place("bad"), bad);
      const std::string to = place("to" + std::to_string(at));
      try {
        store::restore(settings(to), place("bad"), {}, false);
        CPPUNIT_ASSERT_MESSAGE("at " + std::to_string(at), contents(to + "/ocelot.db") == database);
      } catch (const std::exception&) {
        ++refused;
        CPPUNIT_ASSERT_MESSAGE("at " + std::to_string(at), !fs::exists(to + "/ocelot.db"));
      }
    }
    CPPUNIT_ASSERT_MESSAGE(std::to_string(refused), refused >= 35);
  }

  void aNewerSchemaIsRefused() {
    open(place("a"));
    sqliteEngineAt(place("a"))->sql("INSERT INTO schema_version (version, program, applied_at) VALUES (99, 'x', 1)");
    store::backup(settings(place("a")), place("backup"), {});
    CPPUNIT_ASSERT_THROW(store::restore(settings(place("b")), place("backup"), {}, false), store::Conflict);
  }

  void onlySqliteIsBackedUpHere() {
    store::StoreSettings settings;
    settings.kind = "postgres";
    CPPUNIT_ASSERT_THROW(store::backup(settings, place("backup"), {}), std::invalid_argument);
    CPPUNIT_ASSERT_THROW(store::restore(settings, place("backup"), {}, false), std::invalid_argument);
  }

 private:
  std::string place(const std::string& name) const { return folder_.path() + "/" + name; }
  static store::StoreSettings settings(const std::string& folder) {
    store::StoreSettings settings;
    settings.path = folder;
    return settings;
  }
  static std::unique_ptr<store::Store> open(const std::string& folder) {
    auto store = store::open(settings(folder));
    store->migrate();
    return store;
  }
  static store::Claim runningOn(store::Store& store) {
    store.accept(Ground::someBuild(), "");
    return store.claim("worker-1", {}, 30'000)->claim;
  }
  TemporaryFolder folder_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(BackupTest);
