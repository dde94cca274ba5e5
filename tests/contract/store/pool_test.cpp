// The sessions of a process: how many there are, who waits for them, and what is done when the server ends them.

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <thread>

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

const char* const kOurs =
    "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ocelot' AND pid <> "
    "pg_backend_pid()";

std::string counted(Ground& ground, const std::string& which) {
  return ground.engine().text(std::string("SELECT count(*) ") + kOurs + which);
}

void terminateAll(Ground& ground) {
  ground.engine().text(std::string("SELECT count(pg_terminate_backend(pid)) ") + kOurs);
}

}  // namespace

CONTRACT(whoFindsAllSessionsBusyIsToldAfterAWhileWhatToRaise) {
  if (!ground.engine().hasServer()) return;
  auto settings = ground.engine().settings();
  settings.pool_size = 1;
  settings.pool_wait_ms = 100;
  const auto small = store::open(settings);
  auto held = ground.engine().holding({"BEGIN", "LOCK TABLE builds IN ACCESS EXCLUSIVE MODE"});
  std::jthread busy([&] { small->findBuild("1"); });
  waitUntil("the only session is busy", [&] { return counted(ground, " AND wait_event_type = 'Lock'") == "1"; });
  std::string said;
  try {
    small->ping();
  } catch (const store::Unavailable& away) {
    said = away.what();
  }
  held.reset();
  busy.join();
  CPPUNIT_ASSERT_MESSAGE("what was said: " + said, said.find("store.pool") != std::string::npos &&
                                                       said.find("all 1 connections") != std::string::npos);
  small->ping();
}

CONTRACT(aProcessHasNoMoreSessionsThanItsPoolAndNobodyIsTurnedAwayWhileTheyComeBack) {
  if (!ground.engine().hasServer()) return;
  auto settings = ground.engine().settings();
  settings.pool_size = 3;
  // Whoever looks whether he is let in, before he opens a session, asks for nothing.
  const std::string at_work = " AND query <> ''";
  const auto before = std::stoi(counted(ground, at_work));
  const auto small = store::open(settings);
  std::atomic<int> faults{0}, most{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 12; ++i)
    threads.emplace_back([&] {
      for (int call = 0; call < 40; ++call) try {
          small->accept(Ground::someBuild(), "");
        } catch (const std::exception&) {
          ++faults;
        }
    });
  for (int look = 0; look < 10; ++look) most = std::max(most.load(), std::stoi(counted(ground, at_work)) - before);
  for (auto& thread : threads) thread.join();
  CPPUNIT_ASSERT_EQUAL(0, faults.load());
  CPPUNIT_ASSERT_MESSAGE("at most three at once, not " + std::to_string(most.load()), most.load() <= 3);
  CPPUNIT_ASSERT_EQUAL(std::string("480"), ground.engine().text("SELECT count(*) FROM builds"));
}

// An administrator, a failover or a proxy ends sessions, also in the middle of transactions: calls run once more, and
// what was accepted is there once.
CONTRACT(sessionsThatTheServerEndsAreOpenedAgain) {
  if (!ground.engine().hasServer()) return;
  const auto interruptions = ground.store().interruptions();
  std::atomic<bool> go_on{true};
  std::atomic<int> faults{0};
  std::array<std::atomic<int>, 8> accepted{};
  // Each thread has made a whole call since: a second loss in the same call may be an error.
  const auto allGoOn = [&](const std::string& when) {
    std::array<int, 8> so_far{};
    std::copy(accepted.begin(), accepted.end(), so_far.begin());
    waitUntil(when, [&] {
      return faults > 0 || std::equal(accepted.begin(), accepted.end(), so_far.begin(),
                                      [](const auto& now, int then) { return now >= then + 2; });
    });
  };
  std::vector<std::jthread> threads;
  const std::shared_ptr<void> stop(nullptr, [&](void*) { go_on = false; });  // before the threads are waited for
  for (std::size_t i = 0; i < accepted.size(); ++i)
    threads.emplace_back([&, i] {
      for (int build = 0; go_on; ++build) try {
          ground.store().accept(Ground::someBuild(), std::to_string(i) + "-" + std::to_string(build));
          ++accepted[i];
        } catch (const std::exception&) {
          ++faults;
        }
    });
  for (int round = 1; round <= 5; ++round) {
    allGoOn("builds are accepted before loss " + std::to_string(round));
    terminateAll(ground);
  }
  allGoOn("builds are accepted after the last loss");
  go_on = false;
  for (auto& thread : threads) thread.join();
  CPPUNIT_ASSERT_EQUAL(0, faults.load());
  const int all = std::accumulate(accepted.begin(), accepted.end(), 0);
  CPPUNIT_ASSERT_EQUAL(std::to_string(all), ground.engine().text("SELECT count(*) FROM builds"));
  CPPUNIT_ASSERT(ground.store().interruptions() > interruptions);
}
