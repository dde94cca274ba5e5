// What holds of the stand-in alone: its key, and what the store gets to see.

#include "host/secrets/secrets.hpp"

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

void write(const std::string& path, const std::string& bytes, mode_t mode) {
  std::ofstream(path, std::ios::binary) << bytes;
  ::chmod(path.c_str(), mode);
}

// The message of the Unavailable that the action throws; "" when it throws none.
std::string unavailable(const std::function<void()>& action) {
  try {
    action();
  } catch (const secrets::Unavailable& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

CONTRACT(theStoreHoldsNothingReadable) {
  TemporaryFolder folder;
  const auto secrets = secrets::openStoreSecrets(ground.store(), folder.path() + "/key");
  secrets->put("repo/1/TOKEN", "canary-value");
  const auto box = ground.store().getBlob("repo/1/TOKEN");
  CPPUNIT_ASSERT(box.has_value());
  CPPUNIT_ASSERT(!contains(*box, "canary"));
  secrets->put("repo/1/TOKEN", "canary-value");
  CPPUNIT_ASSERT_MESSAGE("a fresh nonce each time", ground.store().getBlob("repo/1/TOKEN") != box);
}

CONTRACT(theKeyIsMadeOnFirstUseForItsOwnerAlone) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/keys/key";
  const auto secrets = secrets::openStoreSecrets(ground.store(), path);
  secrets->put("a", "v");
  struct stat status {};
  CPPUNIT_ASSERT_EQUAL(0, ::stat(path.c_str(), &status));
  CPPUNIT_ASSERT_EQUAL(0600u, status.st_mode & 07777u);
  CPPUNIT_ASSERT_EQUAL(off_t{32}, status.st_size);
  const auto files = std::filesystem::directory_iterator(folder.path() + "/keys");
  CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{1}, std::distance(begin(files), end(files)));
  CPPUNIT_ASSERT(secrets::openStoreSecrets(ground.store(), path)->find("a") == "v");
}

CONTRACT(manyThatStartAtOnceAgreeOnOneKey) {
  TemporaryFolder folder;
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      const auto secrets = secrets::openStoreSecrets(ground.store(), folder.path() + "/key");
      try {
        secrets->put("s/" + std::to_string(i), "v");
        ++good;
      } catch (const std::exception&) {
      }
    });
  for (auto& thread : threads) thread.join();
  CPPUNIT_ASSERT_EQUAL(8, good.load());
  const auto secrets = secrets::openStoreSecrets(ground.store(), folder.path() + "/key");
  for (int i = 0; i < 8; ++i) CPPUNIT_ASSERT(secrets->find("s/" + std::to_string(i)) == "v");
}

CONTRACT(anotherKeyIsRefusedBeforeAnythingIsWritten) {
  TemporaryFolder folder;
  secrets::openStoreSecrets(ground.store(), folder.path() + "/key")->put("a", "v");
  write(folder.path() + "/other", std::string(32, 'k'), 0600);
  const auto wrong = secrets::openStoreSecrets(ground.store(), folder.path() + "/other");
  CPPUNIT_ASSERT(contains(unavailable([&] { wrong->put("b", "v"); }), "made with another one"));
  CPPUNIT_ASSERT(contains(unavailable([&] { wrong->find("a"); }), folder.path() + "/other"));
  CPPUNIT_ASSERT(!ground.store().getBlob("b"));
}

CONTRACT(aMissingKeyIsNotReplacedWhileThereAreSecrets) {
  TemporaryFolder folder;
  secrets::openStoreSecrets(ground.store(), folder.path() + "/key")->put("a", "v");
  const auto lost = secrets::openStoreSecrets(ground.store(), folder.path() + "/gone");
  CPPUNIT_ASSERT(contains(unavailable([&] { lost->find("a"); }), "put the file back"));
  CPPUNIT_ASSERT(!std::filesystem::exists(folder.path() + "/gone"));
}

CONTRACT(aKeyFileThatOthersReadOrThatIsNoKeyIsRefused) {
  TemporaryFolder folder;
  write(folder.path() + "/open", std::string(32, 'k'), 0640);
  write(folder.path() + "/short", std::string(31, 'k'), 0600);
  write(folder.path() + "/long", std::string(33, 'k'), 0600);
  const auto with = [&](const std::string& name) {
    return unavailable([&] { secrets::openStoreSecrets(ground.store(), folder.path() + "/" + name)->put("a", "v"); });
  };
  CPPUNIT_ASSERT(contains(with("open"), "chmod 600"));
  CPPUNIT_ASSERT(contains(with("short"), "31 bytes"));
  CPPUNIT_ASSERT(contains(with("long"), "33 bytes"));
}

CONTRACT(aChangedOrMovedValueDoesNotOpen) {
  TemporaryFolder folder;
  const auto secrets = secrets::openStoreSecrets(ground.store(), folder.path() + "/key");
  secrets->put("repo/1/A", "value of A");
  const std::string box = *ground.store().getBlob("repo/1/A");
  ground.store().putBlob("repo/2/A", box);
  CPPUNIT_ASSERT(contains(unavailable([&] { secrets->find("repo/2/A"); }), "does not open"));
  for (std::size_t i = 0; i < box.size(); ++i) {
    std::string changed = box;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ground.store().putBlob("repo/1/A", changed);
    CPPUNIT_ASSERT(!unavailable([&] { secrets->find("repo/1/A"); }).empty());
  }
  ground.store().putBlob("repo/1/A", "");
  CPPUNIT_ASSERT(!unavailable([&] { secrets->find("repo/1/A"); }).empty());
}
