// Accounts in PostgreSQL that Vault makes: renewed, replaced while they still serve, and nobody who uses the store
// notices.

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "host/queue/queue.hpp"
#include "tests/contract/secrets/live_database.hpp"
#include "tests/contract/support/contract.hpp"

namespace ocelot::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What is done with a store and its queue all the time, and what went wrong.
class Traffic {
 public:
  explicit Traffic(const store::StoreSettings& settings)
      : store_(store::open(settings)), queue_(queue::openStoreQueue(settings)) {
    for (int i = 0; i < 3; ++i)
      threads_.emplace_back([this] { repeat([this] { store_->accept(Ground::someBuild(), ""); }); });
    threads_.emplace_back([this] {
      repeat([this] {
        queue_->publish("build");
        if (!queue_->wait({"build"}, seconds(5))) throw std::runtime_error("a wake-up did not arrive");
      });
    });
  }
  ~Traffic() { stop(); }
  void stop() {
    going_ = false;
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  std::string trouble() {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }

 private:
  void repeat(const std::function<void()>& action) {
    while (going_) {
      try {
        action();
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        trouble_ = error.what();
        return;
      }
    }
  }
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<queue::Queue> queue_;
  std::atomic<bool> going_{true};
  std::mutex mutex_;
  std::string trouble_;
  std::vector<std::jthread> threads_;
};

class VaultDatabaseTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VaultDatabaseTest);
  CPPUNIT_TEST(accountsAreRenewedAndReplacedAndNobodyNotices);
  CPPUNIT_TEST(whoFollowsABuildHearsOfItAcrossAccounts);
  CPPUNIT_TEST(aLoginAnewAtVaultMeansAnAccountAnew);
  CPPUNIT_TEST(anAccountThatVaultEndsEarlyIsReplacedAtTheNextCall);
  CPPUNIT_TEST(whileVaultIsAwayWhatIsOpenGoesOn);
  CPPUNIT_TEST(aRoleThatVaultDoesNotHaveIsRefusedAtOnce);
  CPPUNIT_TEST(anAccountGoesWithWhoeverAskedForIt);
  CPPUNIT_TEST_SUITE_END();

 public:
  void accountsAreRenewedAndReplacedAndNobodyNotices() {
    LiveVault vault;
    const LiveDatabase database(vault, "2s", "5s");
    const LiveAppRole role(vault, database.policy());
    const auto credentials = credentialsOf(vault.session(role.auth()), database);
    Traffic traffic(database.settings(credentials));
    std::set<std::string> seen;
    waitLong("four accounts were used, one after the other", traffic, [&] {
      seen.insert(credentials->account()->user);
      return seen.size() == 4;
    });
    const std::string now = credentials->account()->user;
    waitLong("nobody is connected as an earlier one", traffic,
             [&] { return database.accountsInUse() == now || credentials->account()->user != now; });
    waitLong("Vault has removed the first", traffic, [&] { return database.accounts() <= 2; });
    traffic.stop();
    CPPUNIT_ASSERT_EQUAL(std::string(), traffic.trouble());
    CPPUNIT_ASSERT_EQUAL(std::string(), credentials->trouble());
  }

  void whoFollowsABuildHearsOfItAcrossAccounts() {
    LiveVault vault;
    const LiveDatabase database(vault, "2s", "4s");
    const auto credentials = credentialsOf(vault.asRoot(), database);
    const auto store = store::open(database.settings(credentials));
    store->accept(Ground::someBuild(), "");
    const auto claimed = store->claim("w", {}, 600'000).value();
    const auto watch = store->watch(claimed.claim.build_id);
    std::set<std::string> heard_as;
    std::int64_t size = 0;
    waitLong("changes were heard by three accounts", [&] {
      // Heard of now, or looked for: never neither.
      const int fd = watch->fd();
      if (fd < 0) return false;
      watch->clear();
      size = store->appendLog(claimed.claim, size, "x").value();
      pollfd told{fd, POLLIN, 0};
      CPPUNIT_ASSERT_EQUAL_MESSAGE("told", 1, ::poll(&told, 1, 10'000));
      heard_as.insert(
          database.ask("SELECT usename FROM pg_stat_activity WHERE query LIKE '%lock_shared%' AND "
                       "application_name = 'ocelot' AND usename IS NOT NULL LIMIT 1"));
      heard_as.erase("");
      return heard_as.size() == 3;
    });
  }

  void aLoginAnewAtVaultMeansAnAccountAnew() {
    LiveVault vault;
    const LiveDatabase database(vault, "1h", "24h");
    const LiveAppRole role(vault, database.policy(), R"(,"token_ttl":"2s","token_max_ttl":"4s")");
    const auto credentials = credentialsOf(vault.session(role.auth()), database);
    Traffic traffic(database.settings(credentials));
    std::set<std::string> seen;
    waitLong("three accounts, as three tokens", traffic, [&] {
      seen.insert(credentials->account()->user);
      return seen.size() == 3;
    });
    traffic.stop();
    CPPUNIT_ASSERT_EQUAL(std::string(), traffic.trouble());
  }

  void anAccountThatVaultEndsEarlyIsReplacedAtTheNextCall() {
    LiveVault vault;
    LiveDatabase database(vault, "1h", "24h");
    const auto credentials = credentialsOf(vault.asRoot(), database);
    const auto store = store::open(database.settings(credentials));
    store->accept(Ground::someBuild(), "");
    const std::string first = credentials->account()->user;
    database.endAllAccounts();
    CPPUNIT_ASSERT_EQUAL(0, database.accounts());
    store->accept(Ground::someBuild(), "");
    CPPUNIT_ASSERT(credentials->account()->user != first);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, store->findBuild("2")->number);
    // As the server's operator ends it, sessions and all.
    database.endAllAccounts();
    database.ask(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'ocelot' AND "
        "datname = current_database()");
    // Vault is asked about one account no more than once a second.
    waitUntil("the next account serves", [&] {
      try {
        store->accept(Ground::someBuild(), "");
        return true;
      } catch (const store::Unavailable&) {
        return false;
      }
    });
  }

  void whileVaultIsAwayWhatIsOpenGoesOn() {
    OwnVault own;
    const LiveDatabase database(own.vault(), "3s", "1h");
    const auto credentials = credentialsOf(own.vault().asRoot(), database);
    const auto store = store::open(database.settings(credentials));
    store->ping();
    CPPUNIT_ASSERT_EQUAL(std::string(), credentials->trouble());
    own.kill();
    std::string said;
    waitUntil("the account has ended, and no other can be had", [&] {
      store->accept(Ground::someBuild(), "");
      try {
        credentials->account();
        return false;
      } catch (const store::Unavailable& away) {
        said = away.what();
        return true;
      }
    });
    CPPUNIT_ASSERT_MESSAGE(said, contains(said, "nothing listens there"));
    CPPUNIT_ASSERT_MESSAGE(credentials->trouble(), contains(credentials->trouble(), "nothing listens there"));
    store->accept(Ground::someBuild(), "");
    CPPUNIT_ASSERT_THROW(store::open(database.settings(credentials)), store::Unavailable);
  }

  void aRoleThatVaultDoesNotHaveIsRefusedAtOnce() {
    LiveVault vault;
    const LiveDatabase database(vault, "1h", "24h");
    auto role = database.role();
    role.role = "nobody";
    const auto credentials =
        std::make_shared<secrets::VaultDatabase>(vault.asRoot(), role, [](LogLevel, std::string_view) {});
    std::string said;
    try {
      store::open(database.settings(credentials));
      CPPUNIT_FAIL("opened");
    } catch (const store::Refused& refused) {
      said = refused.what();
    }
    CPPUNIT_ASSERT_MESSAGE(said, contains(said, "/nobody") && contains(said, "check store.vault_role"));
    CPPUNIT_ASSERT_EQUAL(said, credentials->trouble());
    // A dsn that names a user, too.
    auto settings = database.settings(credentials);
    settings.dsn += " user=ada";
    CPPUNIT_ASSERT_THROW(store::open(settings), std::invalid_argument);
  }

  void anAccountGoesWithWhoeverAskedForIt() {
    LiveVault vault;
    const LiveDatabase database(vault, "1h", "24h");
    const LiveAppRole role(vault, database.policy());
    {
      const auto store = store::open(database.settings(credentialsOf(vault.session(role.auth()), database)));
      store->ping();
      CPPUNIT_ASSERT_EQUAL(1, database.accounts());
    }
    waitUntil("the account is gone", [&] { return database.accounts() == 0; });
  }

 private:
  static std::shared_ptr<secrets::VaultDatabase> credentialsOf(std::shared_ptr<secrets::VaultSession> session,
                                                               const LiveDatabase& database) {
    return std::make_shared<secrets::VaultDatabase>(std::move(session), database.role(),
                                                    [](LogLevel, std::string_view) {});
  }

  // Lives of accounts take seconds, and several of them more than waitUntil() has.
  static void waitLong(const std::string& what, Traffic& traffic, const std::function<bool()>& holds) {
    waitLong(what, [&] {
      CPPUNIT_ASSERT_EQUAL(std::string(), traffic.trouble());
      return holds();
    });
  }
  static void waitLong(const std::string& what, const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + seconds(60);
    while (!holds()) {
      CPPUNIT_ASSERT_MESSAGE("still not so after a minute: " + what, std::chrono::steady_clock::now() < until);
      ::poll(nullptr, 0, 20);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VaultDatabaseTest);

}  // namespace
}  // namespace ocelot::test
