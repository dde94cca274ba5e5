// Whose a worker's id is.

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

store::WorkerRow announced(const std::string& key, const std::string& place, const std::string& name = "alpha") {
  store::WorkerRow row;
  row.id = "worker-1";
  row.name = name;
  row.url = "http://" + name + ":7701";
  row.slots = 1;
  row.key = key;
  row.place = place;
  row.lease_ms = 1000;
  return row;
}

std::string refused(store::Store& store, const store::WorkerRow& row) {
  try {
    store.putWorker(row);
  } catch (const store::WorkerHeld& held) {
    CPPUNIT_ASSERT(held.silent_for >= 0);
    return held.what();
  }
  CPPUNIT_FAIL(row.name + " was announced");
  return "";
}

void silentFor(Ground& ground, int seconds) {
  ground.engine().sql("UPDATE workers SET seen_at = seen_at - " + std::to_string(seconds) + "000000");
}

std::string holder(Ground& ground) { return ground.store().workers().at(0).name; }

}  // namespace

CONTRACT(anIdIsOneWorkersAlone) {
  auto& store = ground.store();
  store.putWorker(announced("a key", "host-a (boot 1, folder 2)"));
  const std::string said = refused(store, announced("another", "host-b (boot 3, folder 4)", "beta"));
  for (const char* part : {"worker-1", "\"alpha\" on host-a (boot 1, folder 2), http://alpha:7701",
                           "\"beta\" on host-b (boot 3, folder 4), http://beta:7701", "data_dir of its own"})
    CPPUNIT_ASSERT_MESSAGE(said, said.find(part) != std::string::npos);
  CPPUNIT_ASSERT_EQUAL(std::string("alpha"), holder(ground));
  CPPUNIT_ASSERT_MESSAGE("the key is told to nobody", store.workers().at(0).key.empty());
  // Started again, it is the same one.
  store.putWorker(announced("a key", "host-a (boot 1, folder 2)", "renamed"));
  CPPUNIT_ASSERT_EQUAL(std::string("renamed"), holder(ground));
}

CONTRACT(nobodyClaimsInAnothersName) {
  auto& store = ground.store();
  store.putWorker(announced("a key", "here"));
  ground.accept();
  CPPUNIT_ASSERT_THROW(store.claim({"worker-1", "another"}, {}, 30'000), store::Conflict);
  CPPUNIT_ASSERT_THROW(store.claim({"worker-1", ""}, {}, 30'000), store::Conflict);
  CPPUNIT_ASSERT_THROW(store.heldBy({"worker-1", "another"}), store::Conflict);
  const auto claimed = store.claim({"worker-1", "a key"}, {}, 30'000);
  CPPUNIT_ASSERT(claimed);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.heldBy({"worker-1", "a key"}).size());
}

CONTRACT(aCopiedMachineWaitsUntilTheOtherIsSilent) {
  auto& store = ground.store();
  store.putWorker(announced("a key", "host-a"));
  refused(store, announced("a key", "host-b", "beta"));
  silentFor(ground, 29);
  refused(store, announced("a key", "host-b", "beta"));
  silentFor(ground, 2);
  store.putWorker(announced("a key", "host-b", "beta"));
  CPPUNIT_ASSERT_EQUAL(std::string("beta"), holder(ground));
  refused(store, announced("a key", "host-a"));
}

CONTRACT(anIdIsKeptForAsLongAsItsLeasesLast) {
  auto& store = ground.store();
  store.putWorker(announced("a key", "host-a"));
  silentFor(ground, 100);
  auto patient = announced("a key", "host-b", "beta");
  patient.lease_ms = 120'000;
  refused(store, patient);
  silentFor(ground, 21);
  store.putWorker(patient);
  CPPUNIT_ASSERT_EQUAL(std::string("beta"), holder(ground));
}

CONTRACT(underAnotherKeyAnIdIsKeptWhileItsBuildsRun) {
  auto& store = ground.store();
  store.putWorker(announced("a key", "here"));
  ground.accept();
  const auto claimed = store.claim({"worker-1", "a key"}, {}, 30'000).value();
  silentFor(ground, 1000);
  refused(store, announced("another", "here", "beta"));
  CPPUNIT_ASSERT(store.finish(Ground::ending(claimed.claim)));
  store.putWorker(announced("another", "here", "beta"));
  CPPUNIT_ASSERT_EQUAL(std::string("beta"), holder(ground));
  CPPUNIT_ASSERT_THROW(store.heldBy({"worker-1", "a key"}), store::Conflict);
}

CONTRACT(aWorkerWithdrawsItselfAlone) {
  auto& store = ground.store();
  store.putWorker(announced("a key", "host-a"));
  store.removeWorker(announced("another", "host-a"));
  store.removeWorker(announced("a key", "host-b"));
  store.removeWorker(announced("", ""));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.workers().size());
  store.removeWorker(announced("a key", "host-a"));
  CPPUNIT_ASSERT(store.workers().empty());
  store.putWorker(announced("another", "host-b", "beta"));
}

// Programs of before this was known announce themselves by a statement of their own.
CONTRACT(anEarlierProgramGoesOnAndIsReplaced) {
  const std::string earlier =
      "INSERT INTO workers (id, name, url, tags, slots, version, note, started_at, seen_at) "
      "VALUES ('worker-1', 'earlier', '', '', 1, '0.0', '', 0, ocelot_now()) ON CONFLICT (id) DO UPDATE SET "
      "name = excluded.name, seen_at = excluded.seen_at";
  auto& store = ground.store();
  ground.engine().sql(
      "INSERT INTO workers (id, name, url, tags, slots, version, note, started_at, seen_at) "
      "VALUES ('worker-1', 'earlier', '', '', 1, '0.0', '', 0, 9000000000000000)");
  ground.accept();
  ground.accept("other");
  CPPUNIT_ASSERT(store.claim({"worker-1", "a key"}, {}, 30'000));
  store.putWorker(announced("a key", "here", "later"));
  CPPUNIT_ASSERT_EQUAL(std::string("later"), holder(ground));
  if (ground.engine().hasServer()) ground.engine().sql(earlier);
  CPPUNIT_ASSERT(store.claim({"worker-1", "a key"}, {}, 30'000));
}
