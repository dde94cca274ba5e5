// Secrets of one machine into wherever they are kept then.

#include "host/secrets/copy.hpp"

#include "tests/contract/secrets/kept.hpp"

using namespace ocelot;
using namespace ocelot::test;

SECRETS_CONTRACT(everySecretOfAnotherPlaceArrives) {
  Ground machine(sqliteEngine());
  const TemporaryFolder folder;
  const auto from = secrets::openStoreSecrets(machine.store(), folder.path() + "/key");
  const std::string bytes("\0\xff bytes", 8);
  from->put("repo/1/TOKEN", bytes);
  from->put("system/hook/1", "");
  from->put("registry/ghcr.io", "user:password");
  machine.store().putBlob(".moved-from", "no secret, and of no concern");
  kept.put("repo/1/TOKEN", "an older value");
  kept.put("repo/2/OTHER", "stays");
  CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, secrets::copySecrets(*from, kept));
  CPPUNIT_ASSERT(kept.find("repo/1/TOKEN") == bytes);
  CPPUNIT_ASSERT(kept.find("system/hook/1") == "");
  CPPUNIT_ASSERT(kept.find("registry/ghcr.io") == "user:password");
  CPPUNIT_ASSERT(kept.find("repo/2/OTHER") == "stays");
  CPPUNIT_ASSERT_EQUAL_MESSAGE("again", std::int64_t{3}, secrets::copySecrets(*from, kept));
}
