// From SQLite into a real PostgreSQL.

#include "host/store/move.hpp"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <fstream>

#include "host/digest/digest.hpp"
#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
namespace fs = std::filesystem;

namespace {

class MoveTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MoveTest);
  CPPUNIT_TEST(everythingArrives);
  CPPUNIT_TEST(numbersGoOnWhereTheyWere);
  CPPUNIT_TEST(aCopyThatBrokeOffGoesOn);
  CPPUNIT_TEST(aSourceThatChangedIsCopiedAnew);
  CPPUNIT_TEST(aWholeCopyIsOnlyCompared);
  CPPUNIT_TEST(aTargetThatIsUsedAlreadyIsRefused);
  CPPUNIT_TEST(aByteThatDiffersIsFound);
  CPPUNIT_TEST(aLogThatWasDamagedBeforeIsNamed);
  CPPUNIT_TEST(whoeverHasEitherOpenIsInTheWay);
  CPPUNIT_TEST(onlyTheseKindsAreMeant);
  CPPUNIT_TEST_SUITE_END();

  TemporaryFolder folder_;
  std::unique_ptr<Engine> postgres_;
  std::string long_id_, short_id_;
  std::string long_log_;

  store::StoreSettings source() const {
    store::StoreSettings settings;
    settings.path = folder_.path() + "/store";
    return settings;
  }
  std::unique_ptr<store::Store> openSource() const {
    auto store = store::open(source());
    store->migrate();
    return store;
  }
  store::MoveReport move() {
    return store::moveToPostgres(source(), postgres_->settings(), [](const std::string&) {});
  }
  std::string refusal() {
    try {
      move();
    } catch (const store::Conflict& refused) {
      return refused.what();
    }
    CPPUNIT_FAIL("it was copied");
    return "";
  }

  static store::Claim claimed(store::Store& store) {
    store.accept(Ground::someBuild(), "");
    return store.claim("worker-1", {}, 30'000)->claim;
  }

  void fill() {
    const auto store = openSource();
    model::Repo repo;
    repo.id = model::newUuid();
    repo.name = "account/repo";
    repo.vcs = "git";
    repo.url = "https://example.org/a.git";
    repo.poll_branches = "ALL";
    store->addRepo(repo);
    const auto claim = claimed(*store);
    long_id_ = claim.build_id;
    // Bytes that text would not keep, over the size of what is copied at once.
    for (int i = 0; long_log_.size() < 2'500'000; ++i)
      long_log_ += std::string("line \0\xff ", 8) + std::to_string(i) + "\n";
    store->appendLog(claim, 0, long_log_);
    auto end = Ground::ending(claim);
    end.log_bytes = static_cast<std::int64_t>(long_log_.size());
    end.log_sha256 = digest::sha256Hex(long_log_);
    end.tail_offset = end.log_bytes;
    store::Stage stage;
    stage.name = "test";
    stage.state = model::StageState::passed;
    stage.log_end = end.log_bytes;
    end.stages = {stage};
    CPPUNIT_ASSERT(store->finish(end));
    auto small = Ground::ending(claimed(*store));
    small.tail = "short";
    small.log_bytes = 5;
    small.log_sha256 = digest::sha256Hex("short");
    short_id_ = small.claim.build_id;
    CPPUNIT_ASSERT(store->finish(small));
    for (int i = 0; i < 250; ++i) store->accept(Ground::someBuild("b" + std::to_string(i)), "key" + std::to_string(i));
    store->addToken({"t1", "ada", "admin", std::string(64, 'a'), 0, 0, 0});
    store->storeHook({0, repo.id, "d1", "[]", std::string("body\0\xfe", 6), 0, "new", "", 0});
    store->beginAudit({0, 0, "t1", "ada", "127.0.0.1", "build.create", "account/repo #1", 0});
    store->drainWorker({"worker-9", "old", "ada", 0});
    store->putBlob("repo/x/SECRET", "sealed");
  }

 public:
  void setUp() override {
    postgres_ = postgresEngine();
    fill();
  }

  void everythingArrives() {
    const auto report = move();
    CPPUNIT_ASSERT_EQUAL(std::int64_t{252}, report.builds);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(long_log_.size() + 5), report.log_bytes);
    CPPUNIT_ASSERT(!report.resumed && !report.complete && report.damaged.empty());
    const auto from = openSource(), to = store::open(postgres_->settings());
    const auto build = to->findBuild(long_id_), was = from->findBuild(long_id_);
    CPPUNIT_ASSERT(build.has_value());
    CPPUNIT_ASSERT_EQUAL(was->number, build->number);
    CPPUNIT_ASSERT_EQUAL(was->finished_at, build->finished_at);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, build->stages.size());
    CPPUNIT_ASSERT(to->readLog(long_id_, 0, 10'000'000) == long_log_);
    CPPUNIT_ASSERT(to->readLog(long_id_, 1'234'567, 1000) == long_log_.substr(1'234'567, 1000));
    CPPUNIT_ASSERT_EQUAL(std::string("short"), to->readLog(short_id_, 0, 100));
    CPPUNIT_ASSERT(to->findRepo("account/repo"));
    CPPUNIT_ASSERT(to->findToken(std::string(64, 'a')));
    const auto hooks = to->pendingHooks(10);
    CPPUNIT_ASSERT(hooks.size() == 1 && hooks[0].body == std::string("body\0\xfe", 6));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, to->audit(0, 10).size());
    CPPUNIT_ASSERT_EQUAL(std::string("old"), to->drains().at(0).name);
    CPPUNIT_ASSERT_EQUAL(from->outbox(500).size(), to->outbox(500).size());
    CPPUNIT_ASSERT_EQUAL(from->takeNotices(10, 1).size(), to->takeNotices(10, 1).size());
    CPPUNIT_ASSERT_MESSAGE("a sealed secret of another key", !to->getBlob("repo/x/SECRET"));
  }

  void numbersGoOnWhereTheyWere() {
    sqliteEngineAt(source().path)->sql("UPDATE sqlite_sequence SET seq = 999 WHERE name = 'builds'");
    move();
    const auto to = store::open(postgres_->settings());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1000}, to->accept(Ground::someBuild(), "").number);
    CPPUNIT_ASSERT_MESSAGE("the same key again", to->accept(Ground::someBuild("b0"), "key0").duplicate);
    CPPUNIT_ASSERT(to->beginAudit({0, 0, "t1", "ada", "", "x", "", 0}) > 1);
    CPPUNIT_ASSERT(to->claim("worker-1", {}, 1000));
  }

  // As after a kill in the midst of the rows, and of a log.
  void aCopyThatBrokeOffGoesOn() {
    move();
    postgres_->sql(
        "UPDATE blobs SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), 'complete', 'begun'), 'UTF8')");
    postgres_->sql("DELETE FROM builds WHERE number > 120");
    postgres_->sql("DELETE FROM audit");
    postgres_->sql("DELETE FROM log_chunks WHERE build_id = '" + long_id_ + "' AND begin_offset > 0");
    postgres_->sql("DELETE FROM log_chunks WHERE build_id = '" + short_id_ + "'");
    const auto report = move();
    CPPUNIT_ASSERT(report.resumed && !report.complete);
    const auto to = store::open(postgres_->settings());
    CPPUNIT_ASSERT(to->readLog(long_id_, 0, 10'000'000) == long_log_);
    CPPUNIT_ASSERT_EQUAL(std::string("252"), postgres_->text("SELECT count(*) FROM builds"));
  }

  void aSourceThatChangedIsCopiedAnew() {
    move();
    postgres_->sql(
        "UPDATE blobs SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), 'complete', 'begun'), 'UTF8')");
    {
      const auto from = openSource();
      from->cancel(from->findBuild("3")->id, "ada");
    }
    const auto report = move();
    CPPUNIT_ASSERT(!report.resumed && !report.complete);
    CPPUNIT_ASSERT(model::BuildState::canceled == store::open(postgres_->settings())->findBuild("3")->state);
  }

  void aWholeCopyIsOnlyCompared() {
    move();
    const auto again = move();
    CPPUNIT_ASSERT(again.complete && again.builds == 252);
    openSource()->accept(Ground::someBuild(), "");
    const auto what = refusal();
    CPPUNIT_ASSERT_MESSAGE(what, what.find("has changed since") != std::string::npos);
  }

  void aTargetThatIsUsedAlreadyIsRefused() {
    {
      const auto to = store::open(postgres_->settings());
      to->migrate();
      to->addToken({"t9", "bob", "admin", std::string(64, 'b'), 0, 0, 0});
    }
    const auto what = refusal();
    CPPUNIT_ASSERT_MESSAGE(what, what.find("there are tokens in it already") != std::string::npos);
  }

  void aByteThatDiffersIsFound() {
    move();
    postgres_->sql("UPDATE log_chunks SET bytes = set_byte(bytes, 77, 1) WHERE build_id = '" + long_id_ +
                   "' AND begin_offset = 0");
    const auto log = refusal();
    CPPUNIT_ASSERT_MESSAGE(log, log.find("compare the log of build #1") == 0);
    postgres_->sql("UPDATE builds SET author = 'Eve' WHERE number = 200");
    const auto row = refusal();
    CPPUNIT_ASSERT_MESSAGE(row, row.find("compare builds in PostgreSQL") == 0);
  }

  void aLogThatWasDamagedBeforeIsNamed() {
    for (const auto& entry : fs::recursive_directory_iterator(source().path + "/logs"))
      if (entry.is_regular_file()) std::fstream(entry.path(), std::ios::in | std::ios::out | std::ios::binary) << "X";
    const auto report = move();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, report.damaged.size());
    CPPUNIT_ASSERT_EQUAL(std::string("#1"), report.damaged[0]);
  }

  void whoeverHasEitherOpenIsInTheWay() {
    {
      const auto open = openSource();
      const auto what = refusal();
      CPPUNIT_ASSERT_MESSAGE(what, what.find("an ocelot program has it open") != std::string::npos);
    }
    const auto open = store::open(postgres_->settings());
    const auto what = refusal();
    CPPUNIT_ASSERT_MESSAGE(what, what.find("connections of ocelot are open") != std::string::npos);
  }

  void onlyTheseKindsAreMeant() {
    const auto told = [](const std::string&) {};
    CPPUNIT_ASSERT_THROW(store::moveToPostgres(postgres_->settings(), postgres_->settings(), told),
                         std::invalid_argument);
    CPPUNIT_ASSERT_THROW(store::moveToPostgres(source(), source(), told), std::invalid_argument);
    store::StoreSettings nowhere;
    nowhere.path = folder_.path() + "/nowhere";
    CPPUNIT_ASSERT_THROW(store::moveToPostgres(nowhere, postgres_->settings(), told), std::invalid_argument);
    CPPUNIT_ASSERT(!fs::exists(nowhere.path));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MoveTest);

}  // namespace
