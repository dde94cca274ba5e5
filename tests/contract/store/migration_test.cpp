#include <atomic>
#include <thread>

#include "host/store/sql/migration.hpp"
#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

static const std::string kSchema = std::to_string(store::sqliteMigrations().size());  // the same on both engines

CONTRACT(migratingAgainChangesNothing) {
  const auto accepted = ground.accept();
  ground.store().migrate();
  ground.openAnother()->migrate();
  CPPUNIT_ASSERT(ground.store().findBuild(accepted.id));
  CPPUNIT_ASSERT_EQUAL(kSchema, ground.engine().text("SELECT count(*) FROM schema_version"));
}

CONTRACT(manyThatMigrateAtOnceDoItOnce) {
  const std::string drop = ground.engine().hasServer() ? "DROP SCHEMA public CASCADE" : "";
  if (!drop.empty()) {
    ground.engine().sql(drop);
    ground.engine().sql("CREATE SCHEMA public");
  }
  auto settings = ground.engine().settings();
  settings.path += "-fresh";
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      const auto store = store::open(settings);
      store->migrate();
      store->ping();
      ++done;
    });
  for (auto& thread : threads) thread.join();
  CPPUNIT_ASSERT_EQUAL(6, done.load());
}

CONTRACT(aNewerSchemaIsRefusedNamingBoth) {
  ground.engine().sql("INSERT INTO schema_version (version, program, applied_at) VALUES (77, '9.9', 1)");
  const auto store = ground.openAnother();
  try {
    store->migrate();
    CPPUNIT_FAIL("a newer schema was taken");
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    CPPUNIT_ASSERT_MESSAGE(what, what.find("schema 77 of ocelot 9.9, and ocelot " OCELOT_VERSION) != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(what, what.find("up to " + kSchema) != std::string::npos);
  }
}

CONTRACT(aStoreThatWasNeverMigratedDoesNotAnswerFine) {
  auto settings = ground.engine().settings();
  if (ground.engine().hasServer()) {
    ground.engine().sql("DROP SCHEMA public CASCADE");
    ground.engine().sql("CREATE SCHEMA public");
  } else {
    settings.path += "-fresh";
  }
  CPPUNIT_ASSERT_THROW(store::open(settings)->ping(), store::Unavailable);
}

CONTRACT(theStoreSaysWhatItIs) {
  const std::string what = ground.store().describe();
  CPPUNIT_ASSERT_MESSAGE(what, what.find(ground.engine().settings().kind) == 0);
  CPPUNIT_ASSERT_MESSAGE(what, what.find("(schema " + kSchema + ")") != std::string::npos);
  ground.store().ping();
}

CONTRACT(anUnknownKindIsRefused) {
  auto settings = ground.engine().settings();
  settings.kind = "mysql";
  CPPUNIT_ASSERT_THROW(store::open(settings), std::invalid_argument);
}
