// The partitions of PostgreSQL's logs: which build is where, and when one is emptied.

#include <atomic>
#include <thread>

#include "host/store/sql/migration.hpp"
#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

namespace {

// What a test of parts does again and again.
class Parts {
 public:
  explicit Parts(Ground& ground) : ground_(ground) {}

  std::string text(const std::string& query) { return ground_.engine().text(query); }
  // "-1 kept, 0 closed, 1 open"
  std::string all() { return text("SELECT string_agg(part || ' ' || state, ', ' ORDER BY part) FROM log_parts"); }
  std::string of(const std::string& build) {
    return text("SELECT string_agg(DISTINCT part::text, ' ') FROM log_chunks WHERE build_id = '" + build + "'");
  }
  std::string chunksIn(const std::string& part) { return text("SELECT count(*) FROM log_chunks WHERE part = " + part); }
  std::string stateOf(int part) { return text("SELECT state FROM log_parts WHERE part = " + std::to_string(part)); }

  void tend() { ground_.store().prune({}, 0); }
  // A week passes.
  void openNext() {
    ground_.engine().sql("UPDATE log_parts SET begun_at = 1 WHERE state = 'open'");
    tend();
  }
  store::Claim running(const std::string& log, const std::string& branch = "main") {
    ground_.accept(branch);
    const auto claim = ground_.store().claim("worker-1", {}, 30'000)->claim;
    append(claim, 0, log);
    return claim;
  }
  void append(const store::Claim& claim, std::int64_t at, const std::string& bytes) {
    CPPUNIT_ASSERT_EQUAL(at + static_cast<std::int64_t>(bytes.size()),
                         ground_.store().appendLog(claim, at, bytes).value_or(-1));
  }
  std::string ended(const std::string& log, BuildState state = BuildState::failed, const std::string& branch = "main") {
    const auto claim = running(log, branch);
    CPPUNIT_ASSERT(ground_.store().finish(Ground::ending(claim, state)));
    return claim.build_id;
  }
  std::string log(const std::string& build) { return ground_.store().readLog(build, 0, 100'000'000); }

 private:
  Ground& ground_;
};

// A few chunks of bytes that say where they belong.
std::string longLog(std::size_t lines) {
  std::string log;
  for (std::size_t i = 0; i < lines; ++i) log += "line " + std::to_string(i) + std::string("\0\xff\n", 3);
  return log;
}

constexpr store::Retention kOne{0, 1};

}  // namespace

CONTRACT(aBuildsLogIsInOnePartHoweverLongItRuns) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  const auto first = parts.running("one ");
  parts.openNext();
  CPPUNIT_ASSERT_EQUAL_MESSAGE("part 0 was never used", std::string("-1 kept, 0 open, 1 closed"), parts.all());
  const auto second = parts.running("other ");
  parts.append(first, 4, "two ");
  auto end = Ground::ending(first);
  end.tail_offset = 8;
  end.tail = "three";
  CPPUNIT_ASSERT(ground.store().finish(end));
  CPPUNIT_ASSERT_EQUAL(std::string("1"), parts.of(first.build_id));
  CPPUNIT_ASSERT_EQUAL(std::string("0"), parts.of(second.build_id));
  CPPUNIT_ASSERT_EQUAL(std::string("one two three"), parts.log(first.build_id));
  // A new attempt is a new log, and goes where logs go by then.
  parts.openNext();
  CPPUNIT_ASSERT(ground.store().release(second, "drain"));
  const auto again = ground.store().claim("worker-1", {}, 30'000)->claim;
  CPPUNIT_ASSERT_EQUAL(std::string(), parts.log(again.build_id));
  parts.append(again, 0, "anew");
  CPPUNIT_ASSERT_EQUAL(std::string("anew"), parts.log(again.build_id));
  CPPUNIT_ASSERT_EQUAL(std::string("2"), parts.text("SELECT log_part FROM builds WHERE id = '" + again.build_id + "'"));
}

// Whoever holds another part has no say in a build's log: neither reading nor writing touches it.
CONTRACT(aLogIsReadAndWrittenInItsOwnPartAlone) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  for (int i = 0; i < 6; ++i) {
    parts.ended("x");
    parts.openNext();
  }
  const auto claim = parts.running("");
  const auto lines = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      parts.append(claim, i, "x");
      CPPUNIT_ASSERT_EQUAL(std::string("x"), ground.store().readLog(claim.build_id, i, 10));
    }
  };
  // Once in a session the server tries a plan for all parameters, and looks at every part for that.
  lines(0, 10);
  const auto held = ground.engine().holding(
      {"BEGIN",
       "DO $$ DECLARE one regclass; BEGIN FOR one IN SELECT inhrelid FROM pg_inherits WHERE inhparent = "
       "'log_chunks'::regclass AND inhrelid <> ocelot_log_table(ocelot_log_part()) LOOP EXECUTE 'LOCK TABLE ' || one "
       "|| ' IN ACCESS "
       "EXCLUSIVE MODE'; END LOOP; END $$"});
  lines(10, 30);
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claim)));
}

CONTRACT(aPartIsEmptiedWithItsLastBuildAndFilledAgain) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  for (int i = 0; i < 5; ++i) parts.ended("a log " + std::to_string(i));
  parts.openNext();
  const std::string kept = parts.ended("the last");
  CPPUNIT_ASSERT_EQUAL(2, ground.store().prune(kOne, 2));
  CPPUNIT_ASSERT_EQUAL_MESSAGE("nothing is deleted row by row", std::string("5"), parts.chunksIn("1"));
  CPPUNIT_ASSERT_EQUAL(3, ground.store().prune(kOne, 100));
  CPPUNIT_ASSERT_EQUAL(std::string("0"), parts.chunksIn("1"));
  CPPUNIT_ASSERT_EQUAL(std::string("-1 kept, 0 open, 1 free"), parts.all());
  CPPUNIT_ASSERT_EQUAL(std::string("the last"), parts.log(kept));
  // What is free is filled before a table is made.
  parts.openNext();
  CPPUNIT_ASSERT_EQUAL(std::string("-1 kept, 0 closed, 1 open"), parts.all());
  const std::string next = parts.ended("y");
  CPPUNIT_ASSERT_EQUAL(std::string("1"), parts.of(next));
  CPPUNIT_ASSERT_EQUAL(std::string("y"), parts.log(next));
  parts.openNext();
  CPPUNIT_ASSERT_EQUAL(std::string("-1 kept, 0 closed, 1 closed, 2 open"), parts.all());
}

CONTRACT(aPartWithoutLogsIsNotLeft) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  parts.openNext();
  CPPUNIT_ASSERT_EQUAL(std::string("-1 kept, 0 free, 1 open"), parts.all());
  // A week begins with its first log.
  parts.ended("x");
  parts.tend();
  CPPUNIT_ASSERT_EQUAL(std::string("-1 kept, 0 free, 1 open"), parts.all());
}

CONTRACT(aFullPartIsLeft) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  parts.ended(longLog(10'000));
  const auto next = [&](const std::string& least, const std::string& share) {
    return parts.text("SELECT ocelot_admin_next_log_part(" + least + ", " + share + ", 1000000000000)");
  };
  CPPUNIT_ASSERT_EQUAL_MESSAGE("too small", std::string("1"), next("100000000", "32"));
  CPPUNIT_ASSERT_EQUAL_MESSAGE("less than its share", std::string("1"), next("1000", "1"));
  CPPUNIT_ASSERT_EQUAL(std::string("2"), next("1000", "32"));
  for (const char* wrong : {"-1, 32, 1", "1, 0, 1", "1, 32, -1"})
    CPPUNIT_ASSERT_THROW_MESSAGE(
        wrong, ground.engine().script("SELECT ocelot_admin_next_log_part(" + std::string(wrong) + ")"),
        std::runtime_error);
}

CONTRACT(aRunningBuildHoldsItsPart) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  const auto claim = parts.running("begun ");
  for (int i = 0; i < 3; ++i) parts.ended("x");
  parts.openNext();
  parts.ended("y");
  CPPUNIT_ASSERT_EQUAL(3, ground.store().prune(kOne, 100));
  for (int i = 0; i < 3; ++i) parts.tend();
  CPPUNIT_ASSERT_EQUAL(std::string("closed"), parts.stateOf(1));
  parts.append(claim, 6, "and ended");
  CPPUNIT_ASSERT_EQUAL(std::string("begun and ended"), parts.log(claim.build_id));
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claim, BuildState::failed)));
  CPPUNIT_ASSERT_EQUAL(1, ground.store().prune(kOne, 100));
  CPPUNIT_ASSERT_EQUAL(std::string("free"), parts.stateOf(1));
}

CONTRACT(aLogThatStaysLeavesAPartOfWhichMostIsGone) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  const std::string log = longLog(1000);
  const auto claim = parts.running(log.substr(0, 5000));
  parts.append(claim, 5000, log.substr(5000));
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claim)));  // the last that passed
  const std::string silent = parts.ended("", BuildState::passed, "silent");
  for (int i = 0; i < 3; ++i) parts.ended(longLog(1000));
  parts.openNext();
  parts.ended("y");
  const std::int64_t bytes = ground.store().logBytes();
  ground.store().prune(kOne, 1);
  CPPUNIT_ASSERT_EQUAL_MESSAGE("most is still there", std::string("1"), parts.of(claim.build_id));
  CPPUNIT_ASSERT_EQUAL(2, ground.store().prune(kOne, 100));
  const auto other = ground.openAnother();  // this one has looked a moment ago
  for (int i = 0; i < 2; ++i) other->prune({}, 0);
  CPPUNIT_ASSERT_EQUAL(std::string("free"), parts.stateOf(1));
  CPPUNIT_ASSERT_EQUAL(std::string("-1"), parts.of(claim.build_id));
  CPPUNIT_ASSERT(parts.log(claim.build_id) == log);
  CPPUNIT_ASSERT_EQUAL(log.substr(4990, 30), ground.store().readLog(claim.build_id, 4990, 30));
  CPPUNIT_ASSERT(ground.store().findBuild(silent));
  CPPUNIT_ASSERT_EQUAL(bytes - 3 * static_cast<std::int64_t>(log.size()), ground.store().logBytes());
  // There it goes with its build.
  parts.ended("z", BuildState::passed);
  CPPUNIT_ASSERT(ground.store().prune(kOne, 100) > 0);
  CPPUNIT_ASSERT(!ground.store().findBuild(claim.build_id));
  CPPUNIT_ASSERT_EQUAL(std::string("0"), parts.chunksIn("-1"));
}

// Killed between two steps of a long log's way, by a restart of the server.
CONTRACT(aLogThatIsHalfMovedIsWhole) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  const std::string log = longLog(3000);
  const auto claim = parts.running("");
  for (std::size_t at = 0; at < log.size(); at += 1000)
    parts.append(claim, static_cast<std::int64_t>(at), log.substr(at, 1000));
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claim)));
  parts.openNext();
  const auto step = [&] { return std::stoll(parts.text("SELECT ocelot_admin_keep_logs(1, 5000)")); };
  CPPUNIT_ASSERT(step() >= 5000);
  CPPUNIT_ASSERT(step() >= 5000);
  {
    const auto undone = ground.engine().holding({"BEGIN", "SELECT ocelot_admin_keep_logs(1, 5000)"});
    ground.engine().restart();
  }
  CPPUNIT_ASSERT_EQUAL(std::string("-1 1"), parts.of(claim.build_id));
  CPPUNIT_ASSERT(parts.log(claim.build_id) == log);
  // As a program of the version before asks, which knows no parts.
  CPPUNIT_ASSERT(std::stoll(parts.text(
                     "SELECT count(DISTINCT c.end_offset) FROM builds b JOIN log_chunks c ON c.build_id = b.id AND "
                     "c.fence = b.fence WHERE b.id = '" +
                     claim.build_id + "'")) >= static_cast<long long>(log.size() / 1000));
  CPPUNIT_ASSERT_EQUAL(std::string("f"),
                       parts.text("SELECT CAST(ocelot_admin_empty_log_part(1) AS text)").substr(0, 1));
  while (step() > 0)
    ;
  CPPUNIT_ASSERT_EQUAL(std::to_string((log.size() + 999) / 1000), parts.chunksIn("-1"));
  parts.tend();
  CPPUNIT_ASSERT_EQUAL(std::string("free"), parts.stateOf(1));
  CPPUNIT_ASSERT(parts.log(claim.build_id) == log);
}

CONTRACT(aLogIsReadWholeWhileItMoves) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  const std::string log = longLog(2000);
  std::atomic<int> reads{0};
  std::atomic<bool> stop{false};
  std::exception_ptr failure;
  const auto store = ground.openAnother();
  for (int round = 0; round < 5; ++round) {
    const std::string branch = "b" + std::to_string(round);
    const auto claim = parts.running("", branch);
    for (std::size_t at = 0; at < log.size(); at += 1000)
      parts.append(claim, static_cast<std::int64_t>(at), log.substr(at, 1000));
    CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claim)));
    const std::string part = parts.of(claim.build_id);
    parts.openNext();
    reads = 0;
    stop = false;
    std::thread reader([&] {
      try {
        for (; !stop; ++reads)
          if (store->readLog(claim.build_id, 0, 1'000'000) != log) throw std::runtime_error("the log is another one");
      } catch (...) {
        failure = std::current_exception();
      }
    });
    waitUntil("it is read", [&] { return reads > 3 || failure; });
    while (std::stoll(parts.text("SELECT ocelot_admin_keep_logs(" + part + ", 5000)")) > 0)
      ;
    waitUntil("the part is empty", [&] {
      parts.tend();
      return parts.stateOf(std::stoi(part)) != "closed";
    });
    const int before = reads;
    waitUntil("it is read on", [&] { return reads > before + 3 || failure; });
    stop = true;
    reader.join();
    if (failure) std::rethrow_exception(failure);
    CPPUNIT_ASSERT_EQUAL(std::string("-1"), parts.of(claim.build_id));
  }
}

CONTRACT(anEmptyingThatWasKilledHasDoneNothing) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  parts.ended("x");
  parts.openNext();
  parts.ended("y");
  const auto deleted = ground.engine().holding(
      {"BEGIN", "DELETE FROM builds WHERE log_part = 1", "SELECT ocelot_admin_empty_log_part(1)"});
  ground.engine().restart();
  CPPUNIT_ASSERT_EQUAL(std::string("closed"), parts.stateOf(1));
  CPPUNIT_ASSERT_EQUAL(std::string("1"), parts.chunksIn("1"));
  CPPUNIT_ASSERT_EQUAL(1, ground.store().prune(kOne, 100));
  CPPUNIT_ASSERT_EQUAL(std::string("free"), parts.stateOf(1));
}

CONTRACT(aPartThatIsReadIsEmptiedLater) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  parts.ended("x");
  parts.openNext();
  parts.ended("y");
  {
    // As a pg_dump has every table.
    const auto held = ground.engine().holding({"BEGIN", "LOCK TABLE log_chunks, builds IN ACCESS SHARE MODE"});
    CPPUNIT_ASSERT_EQUAL(1, ground.store().prune(kOne, 100));
    CPPUNIT_ASSERT_EQUAL(std::string("closed"), parts.stateOf(1));
    // Meanwhile builds go on, and a part may be opened.
    parts.ended("z");
    parts.openNext();
    CPPUNIT_ASSERT_EQUAL(std::string("open"), parts.stateOf(2));
  }
  waitUntil("nobody reads any more", [&] {
    parts.tend();
    return parts.stateOf(1) == "free";
  });
}

CONTRACT(logsGrowWhilePartsAreEmptiedAndOpened) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  const auto claim = parts.running("");
  std::atomic<bool> stop{false};
  std::string written;
  std::exception_ptr failure;
  std::thread writer([&] {
    try {
      const auto store = ground.openAnother();
      for (int i = 0; !stop; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        if (store->appendLog(claim, static_cast<std::int64_t>(written.size()), line) !=
            static_cast<std::int64_t>(written.size() + line.size()))
          throw std::runtime_error("a line was not taken");
        written += line;
      }
    } catch (...) {
      failure = std::current_exception();
    }
  });
  int emptied = 0;
  for (int round = 0; round < 30; ++round) {
    parts.ended("x");
    parts.openNext();
    ground.store().prune(kOne, 100);
    emptied += std::stoi(parts.text("SELECT count(*) FROM log_parts WHERE state = 'free'"));
  }
  stop = true;
  writer.join();
  if (failure) std::rethrow_exception(failure);
  CPPUNIT_ASSERT(emptied > 20);
  CPPUNIT_ASSERT(written.size() > 1000);
  CPPUNIT_ASSERT(parts.log(claim.build_id) == written);
  CPPUNIT_ASSERT_EQUAL(std::string("1"), parts.of(claim.build_id));
}

CONTRACT(aPartThatSomebodyRemovedKeepsNoBuildWaiting) {
  if (!ground.engine().hasServer()) return;
  Parts parts(ground);
  ground.engine().sql("DROP TABLE log_chunks_1");
  const std::string build = parts.ended("still written");
  CPPUNIT_ASSERT_EQUAL(std::string("0"), parts.of(build));
  CPPUNIT_ASSERT_EQUAL(std::string("still written"), parts.log(build));
  parts.tend();
  CPPUNIT_ASSERT_EQUAL(std::string("1"), parts.of(parts.ended("as ever")));
  CPPUNIT_ASSERT_EQUAL(std::string("-1 kept, 0 closed, 1 open"), parts.all());
}

// The tables of the version before, full, with a build that runs: nothing is lost, nothing moves.
CONTRACT(logsFromBeforeAreTheFirstPart) {
  if (!ground.engine().hasServer()) return;
  auto& engine = ground.engine();
  engine.script("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  engine.script(
      "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, program TEXT NOT NULL, applied_at BIGINT NOT NULL)");
  const auto& steps = store::postgresMigrations();
  for (std::size_t i = 0; i < 9; ++i) {
    engine.script(steps[i].sql);
    engine.sql("INSERT INTO schema_version (version, program, applied_at) VALUES (" + std::to_string(i + 1) +
               ", '0.0.9', 1)");
  }
  engine.sql("UPDATE schema_version SET works_from = 7 WHERE version > 6");
  Parts parts(ground);
  const auto claim = parts.text(
      "WITH made AS (INSERT INTO builds (id, repo, branch, commit_id, trigger_kind, state, queued_at) SELECT "
      "'00000000-0000-4000-8000-00000000000' || n, 'a/b', 'main', 'c', 'push', 'queued', n FROM generate_series(1, 3) "
      "n "
      "RETURNING id) SELECT count(*) FROM made");
  CPPUNIT_ASSERT_EQUAL(std::string("3"), claim);
  const std::string ended = "00000000-0000-4000-8000-000000000001", runs = "00000000-0000-4000-8000-000000000002",
                    key = std::string(32, 'c'), other = std::string(32, 'd');
  const auto take = [&](const std::string& claim_id) {
    engine.script("SELECT ocelot_worker_claim('" + claim_id + "', 'w', '', 60000000, '[]', 0)");
  };
  take(other);
  engine.script("SELECT ocelot_worker_finish('" + ended + "', '" + other +
                "', 'failed', '', '', '[]', 0, '', 0, 'of before', 0)");
  take(key);
  engine.script("SELECT ocelot_worker_append('" + runs + "', '" + key + "', 0, 'begun ')");

  {
    // As a pg_dump has them; everybody else would wait behind one who waits for it.
    const auto held = engine.holding({"BEGIN", "LOCK TABLE builds, log_chunks IN ACCESS SHARE MODE"});
    CPPUNIT_ASSERT_THROW(ground.store().migrate(), store::Unavailable);
    CPPUNIT_ASSERT_EQUAL(std::string("9"), parts.text("SELECT MAX(version) FROM schema_version"));
  }
  waitUntil("the tables can be had", [&] {
    try {
      ground.store().migrate();
      return true;
    } catch (const store::Unavailable&) {
      return false;
    }
  });
  CPPUNIT_ASSERT_EQUAL(std::string("-1 kept, 0 closed, 1 open"), parts.all());
  CPPUNIT_ASSERT_EQUAL(std::string("8"), parts.text("SELECT works_from FROM schema_version WHERE version = 10"));
  CPPUNIT_ASSERT_EQUAL(std::string("of before"), parts.log(ended));
  store::Claim claimed;
  claimed.build_id = runs;
  claimed.claim_id = key;
  parts.append(claimed, 6, "and gone on");
  CPPUNIT_ASSERT_EQUAL(std::string("0"), parts.of(runs));
  // As a program of the version before reads and removes.
  CPPUNIT_ASSERT_EQUAL(
      std::string("begun and gone on"),
      parts.text("SELECT string_agg(convert_from(c.bytes, 'UTF8'), '' ORDER BY c.end_offset) FROM "
                 "builds b JOIN log_chunks c ON c.build_id = b.id AND c.fence = b.fence WHERE b.id = '" +
                 runs + "' AND c.end_offset > 0"));
  engine.sql("DELETE FROM builds WHERE id = '" + ended + "'");
  const auto next = ground.store().claim("w", {}, 30'000)->claim;
  parts.append(next, 0, "x");
  CPPUNIT_ASSERT_EQUAL(std::string("1"), parts.of(next.build_id));
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(next)));
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claimed, BuildState::failed)));
  CPPUNIT_ASSERT_EQUAL(1, ground.store().prune(kOne, 100));
  CPPUNIT_ASSERT_EQUAL_MESSAGE("with its last build", std::string("0"), parts.chunksIn("0"));
  CPPUNIT_ASSERT_EQUAL(std::string("x"), parts.log(next.build_id));
}
