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
  } catch (const store::Unfit& error) {
    const std::string what = error.what();
    CPPUNIT_ASSERT_MESSAGE(what, what.find("schema 77 of ocelot 9.9, for programs") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(what, what.find("up to " + kSchema) != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(what, what.find("that know schema 77 or later") != std::string::npos);
  }
}

CONTRACT(aNewerSchemaThatSaysSoIsUsed) {
  ground.engine().sql("INSERT INTO schema_version (version, program, applied_at, works_from) VALUES (77, '9.9', 1, " +
                      kSchema + ")");
  const auto store = ground.openAnother();
  store->migrate();
  CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, store->accept(Ground::someBuild(), "").number);
  const std::string what = store->describe();
  CPPUNIT_ASSERT_MESSAGE(what,
                         what.find("(schema 77, of which this program knows " + kSchema + ")") != std::string::npos);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("nothing was changed back", std::string("77"),
                               ground.engine().text("SELECT MAX(version) FROM schema_version"));
  // The next one leaves this program behind.
  ground.engine().sql("INSERT INTO schema_version (version, program, applied_at, works_from) VALUES (78, '10.0', 1, " +
                      std::to_string(store::sqliteMigrations().size() + 1) + ")");
  try {
    ground.openAnother()->migrate();
    CPPUNIT_FAIL("a schema was taken that leaves this program behind");
  } catch (const store::Unfit& error) {
    const std::string said = error.what();
    CPPUNIT_ASSERT_MESSAGE(said, said.find("schema 78 of ocelot 10.0") != std::string::npos);
  }
}

CONTRACT(eachStepSaysWhichProgramsItLeavesBehind) {
  for (const auto* steps : {&store::sqliteMigrations(), &store::postgresMigrations()}) {
    std::int64_t from = 0;
    for (std::size_t i = 0; i < steps->size(); ++i)
      from = worksFrom((*steps)[i], static_cast<std::int64_t>(i + 1), from);
    CPPUNIT_ASSERT_EQUAL(std::to_string(from),
                         ground.engine().text("SELECT works_from FROM schema_version ORDER BY version DESC LIMIT 1"));
  }
  CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, store::worksFrom({"x", "-- ocelot: expand\nSELECT 1"}, 10, 7));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{9}, store::worksFrom({"x", "-- ocelot: contract 9\nSELECT 1"}, 10, 7));
  for (const char* wrong : {"SELECT 1", "-- adds a table", "-- ocelot: contract 6", "-- ocelot: contract 11",
                            "-- ocelot: contract 9x", "-- ocelot: contract ", "-- ocelot: expand more"})
    CPPUNIT_ASSERT_THROW_MESSAGE(wrong, store::worksFrom({"x", wrong}, 10, 7), std::logic_error);
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
